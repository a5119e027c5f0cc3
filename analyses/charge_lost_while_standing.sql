-- Question: which batteries lose charge while they stand, and what does it cost a vehicle in a month?
-- Who asks: fleets with vehicles that stand for long, and manufacturers.
-- How to read: one row per month and class of batteries, the largest loss first. `soc_lost_per_day_pct` is points of SOC per
-- day standing; `share_of_soc_lost` is the part of all SOC used that was lost standing and not driving;
-- `days_standing_per_vehicle` says over how much time that is. `standby_losses` counts the times that a single loss was
-- larger than the tolerance.
with

batteries as (

    select * from {{ ref('battery_usage') }}

),

final as (

    select
        -- keys
        month,
        rank() over (partition by month order by soc_lost_per_hour_standing_pct desc) as loss_rank,
        battery_class,

        -- measures
        vehicles,
        24 * soc_lost_per_hour_standing_pct as soc_lost_per_day_pct,
        cast(soc_lost_standing_pct as double)
        / nullif(cast(soc_lost_standing_pct + soc_lost_driving_pct as double), 0) as share_of_soc_lost,
        cast(soc_lost_standing_pct as double) / vehicles as soc_lost_per_vehicle_pct,
        cast(hours_standing as double) / 24 / vehicles as days_standing_per_vehicle,
        standby_losses
    from batteries
    where hours_standing > 0
    order by month, loss_rank, battery_class

)

select * from final
