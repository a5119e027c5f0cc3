{% set percents = [25, 50, 75, 90] %}

with

drives as (

    select * from {{ ref('int_mobility__drive_consumption') }}

),

vehicles as (

    select
        vehicle_key,
        coalesce(vehicle_type, 'unknown') as vehicle_type
    from {{ ref('dim_vehicle') }}

),

measured as (

    select
        drives.month,
        vehicles.vehicle_type,
        count(*) as drives,
        count(distinct drives.vehicle_key) as vehicles,
        sum(drives.distance_km) as distance_km,
        sum(drives.energy_kwh) as energy_kwh,
        sum(case when drives.energy_kwh is not null then drives.distance_km end) as energy_distance_km,
        sum(drives.soc_energy_kwh) as soc_energy_kwh,
        sum(case when drives.soc_energy_kwh is not null then drives.distance_km end) as soc_distance_km,
        count(drives.known_kwh_per_100km) as judged_drives,
        count(case when drives.is_hungry then 1 end) as hungry_drives,
        {{ percentiles('drives.known_kwh_per_100km', percents) }} as consumptions
    from drives
    inner join vehicles
        on drives.vehicle_key = vehicles.vehicle_key
    group by drives.month, vehicles.vehicle_type

),

shared as (

    select
        *,
        cast(hungry_drives as double) / nullif(judged_drives, 0) as hungry_share
    from measured

),

final as (

    select
        -- keys
        month,
        vehicle_type,

        -- measures: counts
        drives,
        vehicles,
        judged_drives,
        hungry_drives,

        -- measures: sums
        cast(distance_km as decimal(18, 6)) as distance_km,
        cast(energy_kwh as decimal(18, 6)) as energy_kwh,
        cast(energy_distance_km as decimal(18, 6)) as energy_distance_km,
        cast(soc_energy_kwh as decimal(18, 6)) as soc_energy_kwh,
        cast(soc_distance_km as decimal(18, 6)) as soc_distance_km,

        -- measures: consumption
        cast(energy_kwh as double) / nullif(cast(energy_distance_km as double), 0) * 100 as kwh_per_100km,
        cast(soc_energy_kwh as double) / nullif(cast(soc_distance_km as double), 0) * 100 as soc_kwh_per_100km,
        {%- for percent in percents %}
        {{ value_at('consumptions', loop.index) }} as kwh_per_100km_p{{ percent }},
        {%- endfor %}

        -- measures: energy-hungry drives
        hungry_share,
        case
            when hungry_share is not null
                then cast(rank() over (partition by month order by hungry_share desc nulls last) as integer)
        end as hungry_rank
    from shared

)

select * from final
