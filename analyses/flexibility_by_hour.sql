-- Question: what could a market count on from a simulated fleet, hour by hour?
-- Who asks: flexibility traders who size a bid.
-- How to read: one row per run, kind of day and hour of the clock at home. `connected_share` is the mean share of cars
-- that are plugged in. `export_kw_per_car` and `kwh_to_reserve_per_car` are what they can give back above their
-- reserves, `import_kw_per_car` what they can draw below their targets, on average over all cars, plugged in or not.
-- `lowest_export_kw_per_car` is the same in the worst half-hour: that much was there every time.
with

half_hours as (

    select
        run_id,
        half_hour_starts_at,
        min(half_hour_local_at) as half_hour_local_at,
        sum(cars) as cars,
        sum(connected_cars) as connected_cars,
        cast(sum(export_kw) as double) as export_kw,
        cast(sum(import_kw) as double) as import_kw,
        cast(sum(kwh_to_reserve) as double) as kwh_to_reserve
    from {{ ref('fleet_availability') }}
    group by run_id, half_hour_starts_at

),

placed as (

    select
        *,
        case when extract(isodow from half_hour_local_at) < 6 then 'weekday' else 'weekend' end as day_kind,
        cast(extract(hour from half_hour_local_at) as integer) as hour_of_day
    from half_hours

),

final as (

    select
        -- keys
        run_id,
        day_kind,
        hour_of_day,

        -- measures
        count(*) as half_hours,
        avg(cast(connected_cars as double) / cars) as connected_share,
        avg(export_kw / cars) as export_kw_per_car,
        min(export_kw / cars) as lowest_export_kw_per_car,
        avg(import_kw / cars) as import_kw_per_car,
        avg(kwh_to_reserve / cars) as kwh_to_reserve_per_car
    from placed
    group by run_id, day_kind, hour_of_day
    order by run_id, day_kind, hour_of_day

)

select * from final
