-- Question: at which hours do charge attempts fail?
-- Who asks: operations and software suppliers: failures at night are updates and backends, at rush hours queues and networks.
-- How to read: one row per hour of the day on the clock of the site in which attempts began. Open attempts are not in it. Compare
-- the intervals (95 %, Wilson): an hour with few attempts has a wide one. Retries after a failure count too, so one fault can
-- show several times in its hour.
with

attempts as (

    select * from {{ ref('fct_charge_attempts') }}
    where outcome in ('succeeded', 'failed')

),

hours as (

    select
        cast(extract(hour from started_local_at) as integer) as hour_of_day,
        count(*) as attempts,
        count(case when outcome = 'failed' then 1 end) as failed_attempts,
        count(case when outcome = 'failed' and not has_power_delivery then 1 end) as attempts_without_power
    from attempts
    group by hour_of_day

),

final as (

    select
        -- keys
        hour_of_day,

        -- measures
        attempts,
        failed_attempts,
        attempts_without_power,
        cast(failed_attempts as double) / attempts as failed_share,
        {{ wilson_bound('failed_attempts', 'attempts', 'low') }} as failed_share_low,
        {{ wilson_bound('failed_attempts', 'attempts', 'high') }} as failed_share_high,
        cast(failed_attempts as double) / sum(failed_attempts) over () as share_of_failures
    from hours
    order by hour_of_day

)

select * from final
