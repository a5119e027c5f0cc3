with

sessions as (

    select * from {{ ref('fct_charging_sessions') }}
    where
        source_system = 'network'
        and outcome in ('succeeded', 'failed')

),

reasons as (

    select
        station_key,
        failure_reason,
        case when failure_reason like 'stopped:%' then 'stopped' else failure_reason end as failure_class,
        count(*) as sessions
    from sessions
    where outcome = 'failed'
    group by station_key, failure_reason

),

station_totals as (

    select
        station_key,
        count(*) as sessions_known,
        count(case when outcome = 'failed' then 1 end) as sessions_failed
    from sessions
    group by station_key

),

final as (

    select
        -- keys
        reasons.station_key,
        reasons.failure_reason,

        -- attributes
        reasons.failure_class,

        -- measures
        reasons.sessions,
        cast(reasons.sessions as double) / station_totals.sessions_failed as share_of_failures,
        cast(reasons.sessions as double) / station_totals.sessions_known as share_of_known_sessions,
        row_number() over (partition by reasons.station_key order by reasons.sessions desc, reasons.failure_reason)
            as failure_rank
    from reasons
    inner join station_totals
        on reasons.station_key = station_totals.station_key

)

select * from final
