{% set failure_classes = ['no_power', 'no_energy', 'stopped', 'authorization_rejected', 'reported'] %}

with

sessions as (

    select * from {{ ref('fct_charging_sessions') }}
    where source_system = 'network'

),

failures as (

    select * from {{ ref('station_failures') }}

),

-- The unknown member is a row where sessions point at it.
stations as (

    select * from {{ ref('dim_station') }}
    where
        source_system = 'network'
        or station_key in (select station_key from sessions)

),

session_totals as (

    select
        station_key,
        count(*) as sessions,
        {%- for outcome in ['succeeded', 'failed', 'unknown', 'open'] %}
        count(case when outcome = '{{ outcome }}' then 1 end) as sessions_{{ outcome }},
        {%- endfor %}
        percentile_cont(0.5) within group (order by case when outcome = 'succeeded' then energy_kwh end)
            as median_energy_kwh,
        percentile_cont(0.5) within group (
            order by case when outcome = 'succeeded' and not is_over_long then connected_minutes end
        ) as median_connected_minutes
    from sessions
    group by station_key

),

failure_totals as (

    select
        station_key,
        {%- for failure_class in failure_classes %}
        sum(case when failure_class = '{{ failure_class }}' then sessions else 0 end) as failures_{{ failure_class }},
        {%- endfor %}
        max(case when failure_rank = 1 then failure_reason end) as top_failure_reason
    from failures
    group by station_key

),

counted as (

    select
        stations.station_key,
        stations.station_id,
        stations.station_name,
        stations.site_id,
        {%- for count in ['', '_succeeded', '_failed', '_unknown', '_open'] %}
        coalesce(session_totals.sessions{{ count }}, 0) as sessions{{ count }},
        {%- endfor %}
        coalesce(session_totals.sessions_succeeded + session_totals.sessions_failed, 0) as sessions_known,
        session_totals.median_energy_kwh,
        session_totals.median_connected_minutes,
        {%- for failure_class in failure_classes %}
        coalesce(failure_totals.failures_{{ failure_class }}, 0) as failures_{{ failure_class }},
        {%- endfor %}
        failure_totals.top_failure_reason,
        stations.source_system = 'network' as is_listed
    from stations
    left join session_totals
        on stations.station_key = session_totals.station_key
    left join failure_totals
        on stations.station_key = failure_totals.station_key

),

rated as (

    select
        *,
        cast(sessions_succeeded as double) / nullif(sessions_known, 0) as success_rate,
        is_listed and sessions_known >= {{ var('min_sessions_for_rate') }} as is_ranked
    from counted

),

final as (

    select
        -- keys
        station_key,
        station_id,

        -- attributes
        station_name,
        site_id,
        top_failure_reason,

        -- measures: sessions
        sessions,
        sessions_known,
        sessions_succeeded,
        sessions_failed,
        sessions_unknown,
        sessions_open,

        -- measures: success
        success_rate,
        {{ wilson_bound('sessions_succeeded', 'sessions_known', 'low') }} as success_rate_low,
        {{ wilson_bound('sessions_succeeded', 'sessions_known', 'high') }} as success_rate_high,
        case when is_ranked then rank() over (partition by is_ranked order by success_rate desc) end as station_rank,

        -- measures: failures
        {%- for failure_class in failure_classes %}
        cast(failures_{{ failure_class }} as bigint) as failures_{{ failure_class }},
        {%- endfor %}

        -- measures: sessions that succeeded
        cast(median_energy_kwh as decimal(18, 6)) as median_energy_kwh,
        cast(median_connected_minutes as decimal(18, 6)) as median_connected_minutes,

        -- flags
        is_listed
    from rated

)

select * from final
