with

drives as (

    select
        vehicle_key,
        cast(started_local_at as date) as drive_date,
        {{ day_period('started_local_at') }} as day_period,
        distance_km,
        duration_minutes,
        case when is_long then 1.0 else 0.0 end as is_long
    from {{ ref('fct_drives') }}

),

vehicles as (

    select
        vehicle_key,
        client_id
    from {{ ref('dim_vehicle') }}

),

averaged as (

    select
        drive_date,
        day_period,
        vehicle_key,
        avg(distance_km) as distance_km,
        avg(duration_minutes) as duration_minutes,
        cast(avg(is_long) as decimal(9, 6)) as long_share
    from drives
    group by drive_date, day_period, vehicle_key

),

final as (

    select
        -- keys
        averaged.drive_date,
        averaged.day_period,
        averaged.vehicle_key,

        -- attributes
        vehicles.client_id,

        -- measures
        averaged.distance_km,
        averaged.duration_minutes,
        averaged.long_share
    from averaged
    inner join vehicles
        on averaged.vehicle_key = vehicles.vehicle_key

)

select * from final
