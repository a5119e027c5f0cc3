with

car_half_hours as (

    select
        run_id,
        user_id,
        half_hour_local_at,
        import_kwh - export_kwh as net_import_kwh
    from {{ ref('int_simulator__car_half_hours') }}

),

dispatch_half_hours as (

    select * from {{ ref('int_simulator__dispatch_half_hours') }}

),

like_days as (

    select * from {{ ref('int_simulator__like_days') }}

),

-- After the window a baseline is asked for only where nothing better is known.
like_half_hours as (

    select
        half_hours.run_id,
        half_hours.dispatch_id,
        half_hours.user_id,
        half_hours.span,
        half_hours.half_hour_starts_at,
        like_days.like_date,
        half_hours.half_hour_local_at - like_days.days_before * interval 1 day as like_half_hour_local_at
    from dispatch_half_hours as half_hours
    inner join like_days
        on
            half_hours.run_id = like_days.run_id
            and half_hours.dispatch_id = like_days.dispatch_id
            and half_hours.user_id = like_days.user_id
    where
        half_hours.span = 'window'
        or (
            half_hours.counterfactual_kwh is null
            -- a stay of more than a day has half-hours whose like ones are those of the dispatch itself
            and cast(half_hours.half_hour_local_at as date) - like_days.days_before < like_days.like_date + like_days.days_before
        )

),

final as (

    select
        -- keys
        like_half_hours.run_id,
        like_half_hours.dispatch_id,
        like_half_hours.user_id,
        like_half_hours.span,
        like_half_hours.half_hour_starts_at,

        -- measures
        cast(count(distinct like_half_hours.like_date) as integer) as like_days,
        cast(sum(car_half_hours.net_import_kwh) / count(*) as decimal(18, 6)) as baseline_kwh
    from like_half_hours
    inner join car_half_hours
        on
            like_half_hours.run_id = car_half_hours.run_id
            and like_half_hours.user_id = car_half_hours.user_id
            and like_half_hours.like_half_hour_local_at = car_half_hours.half_hour_local_at
    where car_half_hours.net_import_kwh is not null
    group by
        like_half_hours.run_id,
        like_half_hours.dispatch_id,
        like_half_hours.user_id,
        like_half_hours.span,
        like_half_hours.half_hour_starts_at

)

select * from final
