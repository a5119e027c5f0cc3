{% set energies = ['import_kwh', 'export_kwh'] %}
{% set rounding_seconds = 1 %}
{% set half_hour_ends_at = '(half_hour_starts_at + interval 30 minute)' %}

with

-- A number for each car, which the large joins carry in place of two texts.
cars as (

    select
        *,
        row_number() over (order by run_id, user_id) as car_number
    from {{ ref('stg_simulator__users') }}

),

stays as (

    select
        cars.car_number,
        cars.run_id,
        cars.time_zone,
        stays.plugged_in_at,
        stays.plugged_out_at,
        stays.ended_at,
        stays.delivered_plugged_in_at,
        stays.ended_at - stays.skew_seconds * interval 1 second as delivered_ended_at,
        stays.skew_seconds,
        stays.has_unit_slip,
        stays.uncovered_seconds,
        stays.missing_import_kwh,
        stays.missing_export_kwh
    from {{ ref('int_simulator__stays') }} as stays
    inner join cars
        on
            stays.run_id = cars.run_id
            and stays.user_id = cars.user_id

),

-- Few stays need it: the telemetry of all others passes the join untouched.
corrections as (

    select
        *,
        skew_seconds * interval 1 second as skew
    from stays
    where
        skew_seconds <> 0
        or has_unit_slip

),

telemetry as (

    select
        cars.car_number,
        telemetry.starts_at + coalesce(corrections.skew, interval 0 second) as starts_at,
        telemetry.ends_at + coalesce(corrections.skew, interval 0 second) as ends_at,
        {{ seconds_between('telemetry.starts_at', 'telemetry.ends_at') }} as seconds,
        {%- for energy in energies %}
        case
            when corrections.has_unit_slip then telemetry.{{ energy }} * 0.001
            else telemetry.{{ energy }}
        end as {{ energy }},
        {%- endfor %}
        telemetry.soc_pct,
        telemetry.state
    from {{ ref('stg_simulator__telemetry') }} as telemetry
    inner join cars
        on
            telemetry.run_id = cars.run_id
            and telemetry.user_id = cars.user_id
    left join corrections
        on
            cars.car_number = corrections.car_number
            and telemetry.starts_at >= corrections.delivered_plugged_in_at
            and telemetry.starts_at < corrections.delivered_ended_at

),

telemetry_parts as (

    select
        *,
        {{ each_half_hour('starts_at', '(ends_at - interval 1 microsecond)') }} as half_hour_starts_at
    from telemetry

),

-- How much of an interval is over when the half-hour starts and ends.
telemetry_shares as (

    select
        *,
        cast(greatest({{ seconds_between('starts_at', 'half_hour_starts_at') }}, 0) / seconds as double) as share_before,
        cast(least({{ seconds_between('starts_at', half_hour_ends_at) }}, seconds) / seconds as double) as share_after
    from telemetry_parts

),

stay_parts as (

    select
        *,
        {{ each_half_hour('plugged_in_at', '(ended_at - interval 1 microsecond)') }} as half_hour_starts_at
    from stays

),

soc_readings as (

    select
        cars.car_number,
        plug_events.occurred_at + coalesce(corrections.skew, interval 0 second) as read_at,
        plug_events.soc_pct
    from {{ ref('stg_simulator__plug_events') }} as plug_events
    inner join cars
        on
            plug_events.run_id = cars.run_id
            and plug_events.user_id = cars.user_id
    left join corrections
        on
            cars.car_number = corrections.car_number
            and plug_events.occurred_at between corrections.delivered_plugged_in_at and corrections.delivered_ended_at
    {%- for read_at, soc_pct in {'departed_at': 'soc_start_pct', 'arrived_at': 'soc_end_pct'}.items() %}

    union all

    select
        cars.car_number,
        trips.{{ read_at }} as read_at,
        trips.{{ soc_pct }} as soc_pct
    from {{ ref('stg_simulator__trips') }} as trips
    inner join cars
        on
            trips.run_id = cars.run_id
            and trips.user_id = cars.user_id
    {%- endfor %}

),

observations as (

    -- Energy is spread evenly over its interval; the rounded parts add up to it to the last digit.
    select
        car_number,
        half_hour_starts_at,
        {%- for energy in energies %}
        cast({{ energy }} * share_after as decimal(18, 6)) - cast({{ energy }} * share_before as decimal(18, 6)) as {{ energy }},
        {%- endfor %}
        seconds * (share_after - share_before) as covered_seconds,
        state = 'charging' and starts_at <= half_hour_starts_at as is_charging,
        case when ends_at <= {{ half_hour_ends_at }} then ends_at end as read_at,
        soc_pct,
        null as connected_seconds,
        false as is_connected
    from telemetry_shares

    union all

    select
        car_number,
        half_hour_starts_at,
        null as import_kwh,
        null as export_kwh,
        null as covered_seconds,
        false as is_charging,
        null as read_at,
        null as soc_pct,
        {{ overlap_seconds('plugged_in_at', 'ended_at', 'half_hour_starts_at', half_hour_ends_at) }} as connected_seconds,
        plugged_in_at <= half_hour_starts_at as is_connected
    from stay_parts

    union all

    -- A reading at the turn of a half-hour is known when the next one starts.
    select
        car_number,
        {{ half_hour_start('(read_at - interval 1 microsecond)') }} as half_hour_starts_at,
        null as import_kwh,
        null as export_kwh,
        null as covered_seconds,
        false as is_charging,
        read_at,
        soc_pct,
        null as connected_seconds,
        false as is_connected
    from soc_readings

),

observed as (

    select
        car_number,
        half_hour_starts_at,
        {{ half_hour_ends_at }} as half_hour_ends_at,
        sum(import_kwh) as import_kwh,
        sum(export_kwh) as export_kwh,
        bool_or(is_charging) as is_charging,
        -- of two readings in one instant the higher
        max_by(soc_pct, read_at + cast(soc_pct * 100 as integer) * interval 1 microsecond) as last_soc_pct,
        sum(connected_seconds) as connected_seconds,
        coalesce(sum(connected_seconds), 0) - coalesce(sum(covered_seconds), 0) as uncovered_seconds,
        bool_or(is_connected) as is_connected
    from observations
    group by car_number, half_hour_starts_at

),

-- What the registers hold beyond the intervals of a stay was moved while no interval told.
gaps as (

    select
        observed.car_number,
        observed.half_hour_starts_at,
        least(
            observed.uncovered_seconds,
            {{ overlap_seconds('plugged_in_at', 'ended_at', 'observed.half_hour_starts_at', 'observed.half_hour_ends_at') }}
        ) / stays.uncovered_seconds as share_of_gaps,
        stays.missing_import_kwh,
        stays.missing_export_kwh
    from observed
    inner join stays
        on
            observed.car_number = stays.car_number
            and observed.half_hour_starts_at < stays.ended_at
            and observed.half_hour_ends_at > stays.plugged_in_at
    where
        observed.uncovered_seconds > {{ rounding_seconds }}
        and stays.uncovered_seconds > 0

),

gap_parts as (

    select
        car_number,
        half_hour_starts_at,
        sum(missing_import_kwh * share_of_gaps) as import_kwh,
        sum(missing_export_kwh * share_of_gaps) as export_kwh
    from gaps
    group by car_number, half_hour_starts_at

),

soc_at_half_hours as (

    select
        car_number,
        half_hour_ends_at,
        last_soc_pct
    from observed
    where last_soc_pct is not null

),

car_spans as (

    select
        car_number,
        run_id,
        time_zone,
        min(plugged_in_at) as first_plugged_in_at,
        min(plugged_out_at) as first_plugged_out_at,
        max(ended_at) as last_ended_at
    from stays
    group by car_number, run_id, time_zone

),

car_first_days as (

    select
        *,
        {{ to_local_by('first_plugged_out_at', 'time_zone') }} as first_plugged_out_local_at
    from car_spans

),

-- Before the day of the first plug-out only those stays are known that lasted until then.
run_windows as (

    select
        run_id,
        greatest(
            min(first_plugged_in_at),
            min({{ day_start_by('cast(first_plugged_out_local_at as date)', 'time_zone') }})
        ) as first_at,
        max(last_ended_at) as last_at
    from car_first_days
    group by run_id

),

places as (

    select distinct
        run_id,
        price_zone,
        time_zone
    from cars

),

half_hours_in_touch as (

    select
        places.*,
        run_windows.first_at,
        run_windows.last_at,
        {{ each_half_hour('run_windows.first_at', 'run_windows.last_at') }} as half_hour_starts_at
    from places
    inner join run_windows
        on places.run_id = run_windows.run_id

),

half_hours as (

    select
        run_id,
        price_zone,
        time_zone,
        half_hour_starts_at,
        {{ half_hour_ends_at }} as half_hour_ends_at,
        {{ to_local_by('half_hour_starts_at', 'time_zone') }} as half_hour_local_at
    from half_hours_in_touch
    where
        half_hour_starts_at >= first_at
        and {{ half_hour_ends_at }} <= last_at

),

priced as (

    select * from {{ with_mean_prices('half_hours', 'price_zone', 'half_hour_starts_at', 'half_hour_ends_at') }}

),

car_half_hours as (

    select
        cars.car_number,
        priced.half_hour_starts_at,
        priced.half_hour_local_at,
        priced.mean_price_eur_per_mwh,
        priced.mean_gco2_per_kwh
    from cars
    inner join priced
        on
            cars.run_id = priced.run_id
            and cars.price_zone = priced.price_zone
            and cars.time_zone = priced.time_zone

),

with_soc as (

    select
        car_half_hours.*,
        soc_at_half_hours.last_soc_pct as soc_pct
    from car_half_hours
    {{ join_latest(
        'soc_at_half_hours',
        'soc_at_half_hours',
        'car_number',
        'car_half_hours.car_number',
        'half_hour_ends_at',
        'car_half_hours.half_hour_starts_at',
    ) }}

),

final as (

    select
        -- keys
        cars.run_id,
        cars.user_id,
        with_soc.half_hour_starts_at,

        -- attributes
        cars.archetype,
        with_soc.half_hour_local_at,

        -- measures
        cast(least(coalesce(observed.connected_seconds, 0) / 60, 30) as decimal(18, 6)) as connected_minutes,
        {%- for energy in energies %}
        cast(case
            when observed.uncovered_seconds > {{ rounding_seconds }}
                then coalesce(observed.{{ energy }}, 0) + gap_parts.{{ energy }}
            else coalesce(observed.{{ energy }}, 0)
        end as decimal(18, 6)) as {{ energy }},
        {%- endfor %}
        with_soc.soc_pct,
        cars.target_soc_pct,
        with_soc.mean_price_eur_per_mwh as price_eur_per_mwh,
        with_soc.mean_gco2_per_kwh as gco2_per_kwh,

        -- flags
        coalesce(observed.is_connected, false) as is_connected,
        coalesce(observed.is_charging, false) as is_charging,
        coalesce(observed.uncovered_seconds > {{ rounding_seconds }}, false) as has_missing_interval
    from with_soc
    inner join cars
        on with_soc.car_number = cars.car_number
    left join observed
        on
            with_soc.car_number = observed.car_number
            and with_soc.half_hour_starts_at = observed.half_hour_starts_at
    left join gap_parts
        on
            with_soc.car_number = gap_parts.car_number
            and with_soc.half_hour_starts_at = gap_parts.half_hour_starts_at

)

select * from final
