{% set limit_kwh = var('battery_tolerance') * var('max_battery_kwh') %}
{% set time_zone = var('telematics_timezone') %}
{% set connected_minutes = minutes_between('started_at', 'plugged_out_at') %}

with

sessions as (

    select
        *,
        case when not is_end_estimated then ended_at end as plugged_out_at
    from {{ ref('int_telematics__charging_sessions') }}
    where completeness <> 'inferred'

),

measured as (

    select
        * exclude (energy_kwh),
        case when energy_kwh <= {{ limit_kwh }} then energy_kwh end as energy_kwh,
        cast({{ connected_minutes }} as decimal(18, 6)) as connected_minutes,
        {{ utc_to_clock('plugged_out_at', time_zone) }} as plugged_out_local_at
    from sessions

),

final as (

    select
        -- keys
        {{ surrogate_key(["'telematics'", 'session_id']) }} as session_key,
        'telematics' as source_system,
        session_id,

        -- foreign keys
        {{ unknown_key() }} as user_key,
        {{ surrogate_key(["'telematics'", 'vehicle_id']) }} as vehicle_key,
        {{ unknown_key() }} as station_key,
        {{ unknown_key() }} as port_key,
        cast(started_local_at as date) as date_key,
        {{ time_key('started_local_at') }} as time_key,

        -- attributes
        started_at as plugged_in_at,
        plugged_out_at,
        started_at as charging_started_at,
        plugged_out_at as charging_ended_at,
        started_local_at as plugged_in_local_at,
        plugged_out_local_at,
        '{{ time_zone }}' as site_timezone,

        -- measures
        connected_minutes,
        cast(null as decimal(18, 6)) as reported_minutes,
        charging_minutes,
        cast(connected_minutes - charging_minutes as decimal(18, 6)) as idle_minutes,
        energy_kwh,
        cast(null as decimal(18, 6)) as exported_kwh,
        case when energy_kwh is not null then mean_power_kw end as mean_power_kw,
        max_power_kw,
        soc_start_pct,
        soc_end_pct,
        case
            when plugged_out_at is null then 'open'
            when energy_kwh > 0 then 'succeeded'
            else 'unknown'
        end as outcome,
        cast(null as varchar) as failure_reason,

        -- flags
        is_ambiguous_time,
        false as has_duration_conflict,
        coalesce(connected_minutes > 24 * 60 * {{ var('max_session_days') }}, false) as is_over_long,
        coalesce(energy_kwh = 0 and connected_minutes > 0, false) as has_no_energy,
        -- the log doesn't say at which station a vehicle charged
        false as is_overlapping
    from measured

)

select * from final
