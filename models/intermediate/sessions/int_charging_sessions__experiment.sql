{% set time_zone = var('experiment_timezone') %}
{% set connected_minutes = minutes_between('plugged_in_at', 'plugged_out_at') %}
{% set charging_minutes = minutes_between('charging_started_at', 'charging_ended_at') %}

with

sessions as (

    select * from {{ ref('stg_experiment__sessions') }}

),

measured as (

    select
        *,
        {{ to_local('plugged_in_at', time_zone) }} as plugged_in_local_at,
        {{ to_local('plugged_out_at', time_zone) }} as plugged_out_local_at,
        cast({{ connected_minutes }} as decimal(18, 6)) as connected_minutes,
        cast({{ charging_minutes }} as decimal(18, 6)) as charging_minutes
    from sessions

),

final as (

    select
        -- keys
        {{ surrogate_key(["'experiment'", 'session_id']) }} as session_key,
        'experiment' as source_system,
        session_id,

        -- foreign keys
        coalesce({{ surrogate_key(["'experiment'", 'user_id']) }}, {{ unknown_key() }}) as user_key,
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
        '{{ time_zone }}' as site_timezone,

        -- measures
        connected_minutes,
        cast(null as decimal(18, 6)) as reported_minutes,
        charging_minutes,
        cast(connected_minutes - charging_minutes as decimal(18, 6)) as idle_minutes,
        energy_kwh,
        cast(null as decimal(18, 6)) as exported_kwh,
        cast(case when charging_minutes > 0 then energy_kwh * 60 / charging_minutes end as decimal(18, 6)) as mean_power_kw,
        cast(null as decimal(18, 6)) as max_power_kw,
        cast(null as decimal(9, 4)) as soc_start_pct,
        cast(null as decimal(9, 4)) as soc_end_pct,
        case
            when plugged_out_at is null then 'open'
            when energy_kwh > 0 then 'succeeded'
            else 'unknown'
        end as outcome,
        cast(null as varchar) as failure_reason,

        -- flags
        false as is_ambiguous_time,
        false as has_duration_conflict,
        coalesce(connected_minutes > 24 * 60 * {{ var('max_session_days') }}, false) as is_over_long,
        coalesce(energy_kwh = 0 and connected_minutes > 0, false) as has_no_energy,
        -- sessions of an experiment name no port that they could share
        false as is_overlapping
    from measured

)

select * from final
