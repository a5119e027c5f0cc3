{% set late_event_seconds = var('simulator_late_event_seconds') %}

with

stays as (

    select * from {{ ref('int_simulator__stays') }}

),

repeated as (

    select
        run_id,
        user_id,
        starts_at,
        count(*) as copies
    from {{ ref('base_simulator__telemetry') }}
    where row_status = 'duplicate'
    group by run_id, user_id, starts_at

),

delayed as (

    select
        run_id,
        user_id,
        run_id || '/' || user_id as driver_id,
        occurred_at,
        {{ seconds_between('occurred_at', 'received_at') }} as delay_seconds
    from {{ ref('stg_simulator__plug_events') }}
    where {{ seconds_between('occurred_at', 'received_at') }} > {{ late_event_seconds }}

),

skewed as (

    select
        run_id || '/' || user_id as driver_id,
        delivered_plugged_in_at,
        ended_at - skew_seconds * interval 1 second as delivered_ended_at,
        skew_seconds
    from stays
    where has_clock_skew

),

waited as (

    select
        delayed.run_id,
        delayed.user_id,
        delayed.occurred_at,
        delayed.delay_seconds,
        case when delayed.occurred_at <= skewed.delivered_ended_at then skewed.skew_seconds else 0 end as skew_seconds
    from delayed
    {{ join_latest('skewed', 'skewed', 'driver_id', 'delayed.driver_id', 'delivered_plugged_in_at', 'delayed.occurred_at') }}

),

late as (

    select
        run_id,
        user_id,
        occurred_at + skew_seconds * interval 1 second as occurred_at,
        max(delay_seconds - skew_seconds) as delay_seconds
    from waited
    -- a clock that is behind makes an event look late
    where delay_seconds - skew_seconds > {{ late_event_seconds }}
    group by run_id, user_id, occurred_at + skew_seconds * interval 1 second

),

unlisted as (

    select
        stays.run_id,
        stays.user_id,
        min(stays.plugged_in_at) as first_plugged_in_at,
        count(*) as stays
    from stays
    left join {{ ref('stg_simulator__users') }} as users
        on
            stays.run_id = users.run_id
            and stays.user_id = users.user_id
    where users.user_id is null
    group by stays.run_id, stays.user_id

),

unplugged as (

    select
        run_id,
        user_id,
        min(half_hour_starts_at) as first_half_hour_at,
        sum(import_kwh + export_kwh) as energy_kwh
    from {{ ref('int_simulator__car_half_hours') }}
    where
        connected_minutes = 0
        and import_kwh + export_kwh > 0
    group by run_id, user_id, cast(half_hour_local_at as date)

),

damage as (

    select
        'repeated_row' as damage_kind,
        run_id,
        user_id,
        starts_at as reference,
        'copies delivered beside the one that counts: ' || copies as detail
    from repeated

    union all

    select
        'late_event' as damage_kind,
        run_id,
        user_id,
        occurred_at as reference,
        'seconds from the event to its arrival: ' || cast(delay_seconds as bigint) as detail
    from late

    union all

    select
        'missing_interval' as damage_kind,
        run_id,
        user_id,
        plugged_in_at as reference,
        'seconds of the stay that no interval covers: ' || cast(uncovered_seconds as bigint) as detail
    from stays
    where has_missing_interval

    union all

    select
        'register_reset' as damage_kind,
        run_id,
        user_id,
        plugged_in_at as reference,
        coalesce(
            'kWh, the sum of the intervals, as a register began anew: ' || energy_kwh,
            'a register began anew, and no interval tells the energy'
        ) as detail
    from stays
    where has_register_reset

    union all

    select
        'unit_slip' as damage_kind,
        run_id,
        user_id,
        plugged_in_at as reference,
        'its intervals are in Wh; kWh of the stay: ' || energy_kwh as detail
    from stays
    where has_unit_slip

    union all

    select
        'missing_plug_out' as damage_kind,
        run_id,
        user_id,
        plugged_in_at as reference,
        coalesce('ended with its last interval: ' || {{ iso_text('plugged_out_at') }}, 'nothing says when it ended') as detail
    from stays
    where has_missing_plug_out

    union all

    select
        'clock_skew' as damage_kind,
        run_id,
        user_id,
        plugged_in_at as reference,
        'seconds added to the stamps of the stay: ' || skew_seconds as detail
    from stays
    where has_clock_skew

    union all

    select
        'missing_plug_in' as damage_kind,
        run_id,
        user_id,
        first_half_hour_at as reference,
        'kWh of the day in intervals of no stay: ' || energy_kwh as detail
    from unplugged

    union all

    select
        'unlisted_car' as damage_kind,
        run_id,
        user_id,
        first_plugged_in_at as reference,
        'stays of a car that the users don''t list: ' || stays as detail
    from unlisted

),

final as (

    select
        -- keys
        damage_kind,
        run_id,
        user_id,
        reference,

        -- attributes
        detail
    from damage

)

select * from final
