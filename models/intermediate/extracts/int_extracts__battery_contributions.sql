with

battery_months as (

    select * from {{ ref('int_mobility__battery_months') }}

),

vehicles as (

    select * from {{ ref('dim_vehicle') }}

),

final as (

    select
        -- keys
        battery_months.month,
        battery_months.vehicle_key,

        -- attributes
        vehicles.battery_class,
        vehicles.client_id,

        -- measures
        nullif(battery_months.energy_charged_kwh, 0) as energy_kwh,
        cast(battery_months.soc_lost_driving_pct as double)
        / nullif(cast(battery_months.minutes_driven as double) / 60, 0) as soc_lost_per_hour_driven_pct,
        cast(battery_months.soc_lost_standing_pct as double)
        / nullif(cast(battery_months.minutes_standing as double) / 1440, 0) as soc_lost_per_day_standing_pct
    from battery_months
    inner join vehicles
        on battery_months.vehicle_key = vehicles.vehicle_key

)

select * from final
