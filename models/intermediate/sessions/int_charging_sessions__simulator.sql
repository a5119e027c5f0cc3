{% set limit_kwh = var('battery_tolerance') * var('max_battery_kwh') %}
{% set connected_minutes = minutes_between('stays.plugged_in_at', 'stays.plugged_out_at') %}

with

stays as (

    select * from {{ ref('int_simulator__stays') }}

),

users as (

    select * from {{ ref('stg_simulator__users') }}

),

measured as (

    select
        stays.session_id,
        stays.run_id || '/' || stays.user_id as driver_id,
        stays.plugged_in_at,
        stays.plugged_out_at,
        stays.charging_started_at,
        stays.charging_ended_at,
        -- what is fed back can be drawn again, so that the battery limits the difference
        case when stays.energy_kwh - stays.exported_kwh <= {{ limit_kwh }} then stays.energy_kwh end as energy_kwh,
        case when stays.energy_kwh - stays.exported_kwh <= {{ limit_kwh }} then stays.exported_kwh end as exported_kwh,
        stays.soc_start_pct,
        stays.soc_end_pct,
        stays.outcome,
        coalesce(users.time_zone, '{{ var("simulator_timezone") }}') as site_timezone,
        cast({{ connected_minutes }} as decimal(18, 6)) as connected_minutes,
        cast(stays.charging_seconds / 60 as decimal(18, 6)) as charging_minutes
    from stays
    left join users
        on
            stays.run_id = users.run_id
            and stays.user_id = users.user_id

),

quarters as (

    select
        site_timezone,
        quarter_at,
        {{ to_local_by('quarter_at', 'site_timezone') }} as quarter_local_at
    from (
        select
            site_timezone,
            {{ quarter_start('plugged_in_at') }} as quarter_at
        from measured

        union

        select
            site_timezone,
            {{ quarter_start('plugged_out_at') }} as quarter_at
        from measured
    )

),

localized as (

    select
        measured.*,
        plug_ins.quarter_local_at + (measured.plugged_in_at - plug_ins.quarter_at) as plugged_in_local_at,
        plug_outs.quarter_local_at + (measured.plugged_out_at - plug_outs.quarter_at) as plugged_out_local_at
    from measured
    inner join quarters as plug_ins
        on
            measured.site_timezone = plug_ins.site_timezone
            and {{ quarter_start('measured.plugged_in_at') }} = plug_ins.quarter_at
    left join quarters as plug_outs
        on
            measured.site_timezone = plug_outs.site_timezone
            and {{ quarter_start('measured.plugged_out_at') }} = plug_outs.quarter_at

),

final as (

    select
        -- keys
        {{ surrogate_key(["'simulator'", 'session_id']) }} as session_key,
        'simulator' as source_system,
        session_id,

        -- foreign keys
        {{ surrogate_key(["'simulator'", 'driver_id']) }} as user_key,
        {{ unknown_key() }} as vehicle_key,
        {{ unknown_key() }} as station_key,
        {{ unknown_key() }} as port_key,
        cast(plugged_in_local_at as date) as date_key,
        {{ time_key('plugged_in_local_at') }} as time_key,

        -- attributes
        plugged_in_at,
        plugged_out_at,
        charging_started_at,
        charging_ended_at,
        plugged_in_local_at,
        plugged_out_local_at,
        site_timezone,

        -- measures
        connected_minutes,
        cast(null as decimal(18, 6)) as reported_minutes,
        charging_minutes,
        cast(connected_minutes - charging_minutes as decimal(18, 6)) as idle_minutes,
        energy_kwh,
        exported_kwh,
        cast(case when charging_minutes > 0 then energy_kwh * 60 / charging_minutes end as decimal(18, 6)) as mean_power_kw,
        cast(null as decimal(18, 6)) as max_power_kw,
        soc_start_pct,
        soc_end_pct,
        outcome,
        cast(null as varchar) as failure_reason,

        -- flags
        false as is_ambiguous_time,
        false as has_duration_conflict,
        coalesce(connected_minutes > 24 * 60 * {{ var('max_session_days') }}, false) as is_over_long,
        coalesce(energy_kwh = 0 and connected_minutes > 0, false) as has_no_energy,
        -- simulated chargers aren't named, so that none could be shared
        false as is_overlapping
    from localized

)

select * from final
