{{ config(materialized='view') }}

with

drives as (

    select
        *,
        {{ month_of('started_local_at') }} as month,
        case
            when distance_km >= {{ var('telematics_min_consumption_km') }}
                then cast(coalesce(kwh_per_100km, soc_kwh_per_100km) as double)
        end as consumption
    from {{ in_warehouse('fct_drives') }}

),

limits as (

    select * from {{ in_warehouse('int_mobility__consumption_limits') }}

),

final as (

    select
        -- keys
        drives.drive_key,

        -- foreign keys
        drives.vehicle_key,

        -- attributes
        drives.month,

        -- measures
        drives.distance_km,
        drives.energy_kwh,
        drives.soc_energy_kwh,
        drives.consumption as known_kwh_per_100km,

        -- flags
        drives.consumption > limits.hungry_kwh_per_100km as is_hungry
    from drives
    left join limits
        on drives.month = limits.month

)

select * from final
