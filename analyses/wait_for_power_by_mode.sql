-- Question: how long do drivers wait for power, by the way they begin?
-- Who asks: product people who decide between app, card and plug-in; suppliers of chargers.
-- How to read: one row per mode and one for all (`pooled`), over all data. The wait runs from the first thing that the
-- driver did to power. Percentiles are of attempts that got power and are over; `p75` says what one in four has to wait at
-- least. A mode can be quick and still fail often: `charge_start_success` is the share of its attempts that got power.
with

kpis as (

    select * from {{ ref('charge_success_kpis') }}
    where
        scope = 'total'
        and month_start_date is null

),

final as (

    select
        -- keys
        attempt_mode,

        -- measures
        finished_attempts,
        attempts_with_start_time,
        charge_start_seconds_p10 as seconds_p10,
        charge_start_seconds_p25 as seconds_p25,
        charge_start_seconds_p50 as seconds_p50,
        charge_start_seconds_p75 as seconds_p75,
        charge_start_success
    from kpis
    order by attempt_mode

)

select * from final
