with

records as (

    select
        vehicle_id,
        {{ month_of(utc_to_clock('started_at', var('telematics_timezone'))) }} as month,
        record_kind = 'drive' as is_drive,
        gap_kind in ('standing', 'standby_loss') as has_stood,
        gap_kind = 'standby_loss' as has_standby_loss,
        odometer_end_km - odometer_start_km as distance_km,
        {{ minutes_between('started_at', 'ended_at') }} as minutes,
        soc_start_pct - soc_end_pct as soc_lost_pct,
        energy_kwh,
        {{ minutes_between('gap_started_at', 'started_at') }} as standing_minutes,
        gap_soc_start_pct - soc_start_pct as standing_soc_lost_pct
    from {{ ref('int_telematics__records') }}

),

used as (

    select
        vehicle_id,
        month,
        count(case when is_drive then 1 end) as drives,
        sum(case when is_drive then distance_km else 0 end) as distance_km,
        sum(case when is_drive then minutes else 0 end) as minutes_driven,
        sum(case when is_drive then soc_lost_pct else 0 end) as soc_lost_driving_pct,
        sum(case when is_drive then coalesce(energy_kwh, 0) else 0 end) as energy_driven_kwh,
        -- what drives without delivered energy took, still to be multiplied by the capacity
        sum(case when is_drive and energy_kwh is null then soc_lost_pct else 0 end) as unmetered_soc_pct,
        count(case when has_standby_loss then 1 end) as standby_losses,
        sum(case when has_stood then standing_minutes else 0 end) as minutes_standing,
        sum(case when has_stood then standing_soc_lost_pct else 0 end) as soc_lost_standing_pct
    from records
    group by vehicle_id, month

),

charged as (

    select
        vehicle_id,
        {{ month_of('started_local_at') }} as month,
        count(*) as sessions,
        count(case when completeness = 'inferred' then 1 end) as inferred_sessions,
        sum(energy_kwh) as energy_charged_kwh
    from {{ ref('int_telematics__charging_sessions') }}
    group by vehicle_id, month

),

vehicles as (

    select
        vehicle_id,
        vehicle_key,
        battery_kwh
    from {{ ref('dim_vehicle') }}
    where source_system = 'telematics'

),

-- An inferred session may be all that a vehicle has in a month.
months as (

    select
        vehicle_id,
        month
    from used

    union distinct

    select
        vehicle_id,
        month
    from charged

),

final as (

    select
        -- keys
        vehicles.vehicle_key,
        months.month,

        -- measures: charged
        coalesce(charged.sessions, 0) as sessions,
        coalesce(charged.inferred_sessions, 0) as inferred_sessions,
        cast(coalesce(charged.energy_charged_kwh, 0) as decimal(18, 6)) as energy_charged_kwh,

        -- measures: driven
        coalesce(used.drives, 0) as drives,
        cast(coalesce(used.distance_km, 0) as decimal(18, 6)) as distance_km,
        cast(coalesce(used.minutes_driven, 0) as decimal(18, 6)) as minutes_driven,
        cast(coalesce(used.soc_lost_driving_pct, 0) as decimal(18, 4)) as soc_lost_driving_pct,
        cast(
            coalesce(used.energy_driven_kwh, 0)
            + coalesce(cast(used.unmetered_soc_pct as decimal(18, 4)) * cast(vehicles.battery_kwh as decimal(9, 4)) / 100, 0)
            as decimal(18, 6)
        ) as energy_driven_kwh,

        -- measures: standing
        coalesce(used.standby_losses, 0) as standby_losses,
        cast(coalesce(used.minutes_standing, 0) as decimal(18, 6)) as minutes_standing,
        cast(coalesce(used.soc_lost_standing_pct, 0) as decimal(18, 4)) as soc_lost_standing_pct
    from months
    inner join vehicles
        on months.vehicle_id = vehicles.vehicle_id
    left join used
        on
            months.vehicle_id = used.vehicle_id
            and months.month = used.month
    left join charged
        on
            months.vehicle_id = charged.vehicle_id
            and months.month = charged.month

)

select * from final
