-- Question: how full are the cars of simulated drivers through the day?
-- Who asks: whoever plans with their flexibility, and whoever looks whether a simulation is believable.
-- How to read: one row per run, kind of driver and hour of the clock at home, as of the start of the hour. Between
-- `soc_pct_p10` and `soc_pct_p90` lie four of five cars; `connected_soc_pct_p50` is the median of those that are
-- plugged in, which are `connected_share` of all. Compare runs to see what a controller does: the same drivers, charged
-- at other hours.
with

soc as (

    select * from {{ ref('soc_by_archetype') }}
    where
        resolution = 'half_hour_of_day'
        and mod(half_hour_of_day, 2) = 0

),

connected as (

    select * from soc
    where fleet_part = 'connected'

),

final as (

    select
        -- keys
        soc.run_id,
        soc.archetype,
        cast(soc.half_hour_of_day / 2 as integer) as hour_of_day,

        -- measures
        soc.soc_pct_p10,
        soc.soc_pct_p50,
        soc.soc_pct_p90,
        connected.soc_pct_p50 as connected_soc_pct_p50,
        connected.cars / nullif(soc.cars, 0) as connected_share
    from soc
    inner join connected
        on
            soc.run_id = connected.run_id
            and soc.archetype = connected.archetype
            and soc.half_hour_of_day = connected.half_hour_of_day
    where soc.fleet_part = 'all'
    order by soc.run_id, soc.archetype, hour_of_day

)

select * from final
