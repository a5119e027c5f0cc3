with

sessions as (

    select * from {{ ref('int_charging_sessions__network') }}
    where outcome in ('succeeded', 'failed')

),

final as (

    select
        -- keys
        station_key,
        date_key,

        -- measures
        count(*) as sessions_known,
        count(case when outcome = 'succeeded' then 1 end) as sessions_succeeded
    from sessions
    group by station_key, date_key

)

select * from final
