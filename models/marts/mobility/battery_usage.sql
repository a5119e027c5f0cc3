with

battery_months as (

    select * from {{ ref('int_mobility__battery_months') }}

),

vehicles as (

    select
        vehicle_key,
        battery_class,
        battery_kwh
    from {{ ref('dim_vehicle') }}

),

used as (

    select
        battery_months.month,
        vehicles.battery_class,
        count(*) as vehicles,
        sum(vehicles.battery_kwh) as battery_kwh,
        sum(battery_months.sessions) as sessions,
        sum(battery_months.inferred_sessions) as inferred_sessions,
        sum(battery_months.drives) as drives,
        sum(battery_months.standby_losses) as standby_losses,
        sum(battery_months.energy_charged_kwh) as energy_charged_kwh,
        sum(case when vehicles.battery_kwh is not null then battery_months.energy_charged_kwh end) as cycled_kwh,
        sum(battery_months.energy_driven_kwh) as energy_driven_kwh,
        sum(battery_months.distance_km) as distance_km,
        sum(battery_months.minutes_driven) as minutes_driven,
        sum(battery_months.minutes_standing) as minutes_standing,
        sum(battery_months.soc_lost_driving_pct) as soc_lost_driving_pct,
        sum(battery_months.soc_lost_standing_pct) as soc_lost_standing_pct
    from battery_months
    inner join vehicles
        on battery_months.vehicle_key = vehicles.vehicle_key
    group by battery_months.month, vehicles.battery_class

),

final as (

    select
        -- keys
        month,
        battery_class,

        -- measures: counts
        vehicles,
        cast(sessions as bigint) as sessions,
        cast(inferred_sessions as bigint) as inferred_sessions,
        cast(drives as bigint) as drives,
        cast(standby_losses as bigint) as standby_losses,

        -- measures: sums
        cast(energy_charged_kwh as decimal(18, 6)) as energy_charged_kwh,
        cast(energy_driven_kwh as decimal(18, 6)) as energy_driven_kwh,
        cast(distance_km as decimal(18, 6)) as distance_km,
        cast(minutes_driven / 60 as decimal(18, 6)) as hours_driven,
        cast(minutes_standing / 60 as decimal(18, 6)) as hours_standing,
        cast(soc_lost_driving_pct as decimal(18, 4)) as soc_lost_driving_pct,
        cast(soc_lost_standing_pct as decimal(18, 4)) as soc_lost_standing_pct,

        -- measures: ratios
        cast(energy_charged_kwh as double) / vehicles as energy_charged_kwh_per_vehicle,
        cast(cycled_kwh as double) / cast(battery_kwh as double) as full_charges_per_vehicle,
        cast(soc_lost_driving_pct as double) / nullif(cast(minutes_driven as double) / 60, 0) as soc_lost_per_hour_driven_pct,
        cast(soc_lost_standing_pct as double) / nullif(cast(minutes_standing as double) / 60, 0)
            as soc_lost_per_hour_standing_pct
    from used

)

select * from final
