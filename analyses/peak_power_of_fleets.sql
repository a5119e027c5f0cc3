-- Question: when does a simulated fleet draw most from the grid, and how much is that per car?
-- Who asks: grid planners who compare charging controllers.
-- How to read: one row per run. `peak_kw` is the highest net power of a half-hour, `peak_local_at` the first one that
-- reaches it on the clock at home; `load_factor` is the mean power as a share of it. A controller that moves everybody
-- into the same cheap hour has a higher peak than no controller at all.
with

half_hours as (

    select
        run_id,
        half_hour_starts_at,
        min(half_hour_local_at) as half_hour_local_at,
        sum(cars) as cars,
        sum(total_net_kw) as net_kw
    from {{ ref('power_by_archetype') }}
    where
        resolution = 'half_hour_of_run'
        and fleet_part = 'all'
    group by run_id, half_hour_starts_at

),

ranked as (

    select
        *,
        row_number() over (partition by run_id order by net_kw desc, half_hour_starts_at) as power_rank,
        max(cars) over (partition by run_id) as fleet_cars,
        avg(net_kw) over (partition by run_id) as mean_kw
    from half_hours

),

final as (

    select
        -- keys
        run_id,

        -- attributes
        half_hour_local_at as peak_local_at,

        -- measures
        cast(fleet_cars as integer) as cars,
        net_kw as peak_kw,
        net_kw / nullif(fleet_cars, 0) as peak_kw_per_car,
        mean_kw,
        mean_kw / nullif(net_kw, 0) as load_factor
    from ranked
    where power_rank = 1
    order by run_id

)

select * from final
