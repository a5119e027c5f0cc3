with

sessions as (

    select * from {{ ref('session_indicators') }}

),

vehicles as (

    select
        vehicle_key,
        client_id
    from {{ ref('dim_vehicle') }}

),

averaged as (

    select
        month,
        place,
        vehicle_key,
        nullif(sum(energy_kwh), 0) as energy_kwh,
        avg(mean_power_kw) as power_kw,
        avg(duration_minutes) as duration_minutes,
        avg(soc_start_pct) as soc_start_pct,
        avg(soc_end_pct) as soc_end_pct,
        cast(avg(case when completeness = 'complete' then 1.0 else 0.0 end) as decimal(9, 6)) as complete_share
    from sessions
    group by month, place, vehicle_key

),

final as (

    select
        -- keys
        averaged.month,
        averaged.place,
        averaged.vehicle_key,

        -- attributes
        vehicles.client_id,

        -- measures
        averaged.energy_kwh,
        averaged.power_kw,
        averaged.duration_minutes,
        averaged.soc_start_pct,
        averaged.soc_end_pct,
        averaged.complete_share
    from averaged
    inner join vehicles
        on averaged.vehicle_key = vehicles.vehicle_key

)

select * from final
