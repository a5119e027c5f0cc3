with

half_hours as (

    select * from {{ ref('int_simulator__car_half_hours') }}

),

users as (

    select * from {{ ref('stg_simulator__users') }}

),

cars as (

    select
        half_hours.run_id,
        half_hours.archetype,
        half_hours.half_hour_starts_at,
        half_hours.half_hour_local_at,
        half_hours.is_connected,
        half_hours.is_charging,
        users.charger_kw,
        case when half_hours.is_connected then half_hours.soc_pct end as connected_soc_pct,
        half_hours.target_soc_pct,
        users.reserve_soc_pct,
        users.battery_kwh
    from half_hours
    inner join users
        on
            half_hours.run_id = users.run_id
            and half_hours.user_id = users.user_id

),

storages as (

    select
        *,
        greatest(target_soc_pct - connected_soc_pct, 0) * battery_kwh * 0.01 as kwh_to_target,
        greatest(connected_soc_pct - reserve_soc_pct, 0) * battery_kwh * 0.01 as kwh_to_reserve
    from cars

),

final as (

    select
        -- keys
        run_id,
        archetype,
        half_hour_starts_at,

        -- attributes
        min(half_hour_local_at) as half_hour_local_at,

        -- measures: cars
        count(*) as cars,
        count(case when is_connected then 1 end) as connected_cars,
        count(case when is_connected and is_charging then 1 end) as charging_cars,
        count(case when connected_soc_pct >= target_soc_pct then 1 end) as cars_at_target,
        cast(count(case when is_connected then 1 end) as double) / count(*) as connected_share,

        -- measures: flexibility
        cast(sum(case when connected_soc_pct < target_soc_pct then charger_kw else 0 end) as decimal(18, 6)) as import_kw,
        cast(sum(case when connected_soc_pct > reserve_soc_pct then charger_kw else 0 end) as decimal(18, 6)) as export_kw,
        cast(coalesce(sum(kwh_to_target), 0) as decimal(18, 6)) as kwh_to_target,
        cast(coalesce(sum(kwh_to_reserve), 0) as decimal(18, 6)) as kwh_to_reserve
    from storages
    group by run_id, archetype, half_hour_starts_at

)

select * from final
