with

drives as (

    select * from {{ ref('int_mobility__drive_consumption') }}
    where known_kwh_per_100km is not null

),

vehicles as (

    select * from {{ ref('dim_vehicle') }}

),

consumed as (

    select
        month,
        vehicle_key,
        100 * cast(sum(coalesce(energy_kwh, soc_energy_kwh)) as double) / cast(sum(distance_km) as double) as kwh_per_100km,
        cast(avg(case when is_hungry then 1.0 else 0.0 end) as decimal(9, 6)) as hungry_share
    from drives
    group by month, vehicle_key

),

final as (

    select
        -- keys
        consumed.month,
        consumed.vehicle_key,

        -- attributes
        coalesce(vehicles.vehicle_type, 'unknown') as vehicle_type,
        vehicles.client_id,

        -- measures
        consumed.kwh_per_100km,
        consumed.hungry_share
    from consumed
    inner join vehicles
        on consumed.vehicle_key = vehicles.vehicle_key

)

select * from final
