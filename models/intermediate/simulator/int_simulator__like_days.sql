{% set lookback_days = var('simulator_baseline_lookback_days') %}
{% set days = var('simulator_baseline_days') %}

with

half_hours as (

    select
        run_id,
        dispatch_id,
        user_id,
        cast(half_hour_local_at as date) as local_date
    from {{ ref('int_simulator__dispatch_half_hours') }}
    where
        span = 'window'
        and half_hour_local_at is not null

),

run_starts as (

    select
        run_id,
        min(cast(half_hour_local_at as date)) as first_date
    from {{ ref('int_simulator__car_half_hours') }}
    group by run_id

),

windows as (

    select
        run_id,
        dispatch_id,
        user_id,
        min(local_date) as window_date
    from half_hours
    group by run_id, dispatch_id, user_id

),

dispatched_days as (

    select distinct
        run_id,
        user_id,
        local_date
    from half_hours

),

earlier_days as (

    select
        windows.*,
        {{ each_day(
            'greatest(run_starts.first_date, windows.window_date - ' ~ lookback_days ~ ')',
            'windows.window_date - 1',
        ) }} as like_date
    from windows
    inner join run_starts
        on windows.run_id = run_starts.run_id

),

like_days as (

    select
        earlier_days.*,
        extract(isodow from earlier_days.window_date) >= 6 as is_weekend
    from earlier_days
    left join dispatched_days
        on
            earlier_days.run_id = dispatched_days.run_id
            and earlier_days.user_id = dispatched_days.user_id
            and earlier_days.like_date = dispatched_days.local_date
    where
        dispatched_days.local_date is null
        and (extract(isodow from earlier_days.like_date) >= 6) = (extract(isodow from earlier_days.window_date) >= 6)

),

ranked as (

    select
        *,
        row_number() over (partition by run_id, dispatch_id, user_id order by like_date desc) as like_day_number
    from like_days

),

final as (

    select
        -- keys
        run_id,
        dispatch_id,
        user_id,
        like_date,

        -- measures
        cast(window_date - like_date as integer) as days_before
    from ranked
    where like_day_number <= case when is_weekend then {{ days.weekend }} else {{ days.weekday }} end

)

select * from final
