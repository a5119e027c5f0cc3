-- Question: which types of vehicles make the most energy-hungry drives, and how far do they lie from the others?
-- Who asks: manufacturers, and fleets that choose vehicles.
-- How to read: one row per month and type, the hungriest first. `times_as_often` is the share of hungry drives of the type
-- by that of all types together: 1 is as often as any other. `above_all_pct` says how far the consumption of the type lies
-- above that of all vehicles, by delivered energy. `spread` is the 90th by the 25th percentile of its drives: a type whose
-- drives differ much is hungry on some of them only.
with

consumption as (

    select
        *,
        sum(hungry_drives) over (partition by month) as all_hungry_drives,
        sum(judged_drives) over (partition by month) as all_judged_drives,
        sum(energy_kwh) over (partition by month) as all_energy_kwh,
        sum(energy_distance_km) over (partition by month) as all_distance_km
    from {{ ref('vehicle_type_consumption') }}

),

final as (

    select
        -- keys
        month,
        hungry_rank,
        vehicle_type,

        -- measures
        vehicles,
        judged_drives,
        hungry_drives,
        hungry_share,
        hungry_share / nullif(cast(all_hungry_drives as double) / nullif(all_judged_drives, 0), 0) as times_as_often,
        kwh_per_100km,
        100 * (
            kwh_per_100km / nullif(cast(all_energy_kwh as double) / nullif(cast(all_distance_km as double), 0) * 100, 0) - 1
        ) as above_all_pct,
        kwh_per_100km_p90 / nullif(kwh_per_100km_p25, 0) as spread
    from consumption
    where judged_drives > 0
    order by month, hungry_rank, vehicle_type

)

select * from final
