-- Question: are simulated cars full when their drivers leave in the morning?
-- Who asks: whoever has to promise drivers that a controller doesn't cost them range.
-- How to read: one row per run and kind of driver, over all mornings. Of the cars that are plugged in at 07:00 on the
-- clock at home `full_share` have reached their target; the others lack `kwh_short_per_car` on average. Compare with
-- the run without a controller: a car that is short there as well came home too late.
{% set hour = 7 %}

with

mornings as (

    select * from {{ ref('fleet_availability') }}
    where
        extract(hour from half_hour_local_at) = {{ hour }}
        and extract(minute from half_hour_local_at) < 30

),

final as (

    select
        -- keys
        run_id,
        archetype,

        -- measures
        count(*) as mornings,
        cast(sum(connected_cars) as double) / count(*) as connected_cars,
        cast(sum(cars_at_target) as double) / nullif(sum(connected_cars), 0) as full_share,
        cast(sum(kwh_to_target) as double) / nullif(sum(connected_cars - cars_at_target), 0) as kwh_short_per_car
    from mornings
    group by run_id, archetype
    order by run_id, archetype

)

select * from final
