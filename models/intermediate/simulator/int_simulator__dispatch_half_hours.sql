{% set dispatch = ['run_id', 'dispatch_id', 'user_id', 'counterfactual_run_id'] %}

with

dispatches as (

    select * from {{ ref('int_simulator__dispatches') }}

),

car_half_hours as (

    select
        run_id,
        user_id,
        half_hour_starts_at,
        half_hour_local_at,
        import_kwh - export_kwh as net_import_kwh
    from {{ ref('int_simulator__car_half_hours') }}

),

-- The stay cuts no half-hour, as the window may: what flows in its last one is all its own.
spans as (

    select
        {{ dispatch | join(', ') }},
        'window' as span,
        window_starts_at as span_starts_at,
        window_ends_at as span_ends_at
    from dispatches

    union all

    select
        {{ dispatch | join(', ') }},
        'rebound' as span,
        window_ends_at as span_starts_at,
        {{ half_hour_start('(stay_ended_at - interval 1 microsecond)') }} + interval 30 minute as span_ends_at
    from dispatches
    where stay_ended_at > window_ends_at

),

half_hours as (

    select
        *,
        {{ each_half_hour('span_starts_at', "span_ends_at - interval 1 microsecond") }} as half_hour_starts_at
    from spans

),

-- Inner joins, so that the few half-hours of dispatches are looked up among all of the cars, and not the other way round.
observed as (

    select
        half_hours.run_id,
        half_hours.dispatch_id,
        half_hours.user_id,
        half_hours.span,
        half_hours.half_hour_starts_at,
        car_half_hours.half_hour_local_at,
        car_half_hours.net_import_kwh
    from half_hours
    inner join car_half_hours
        on
            half_hours.run_id = car_half_hours.run_id
            and half_hours.user_id = car_half_hours.user_id
            and half_hours.half_hour_starts_at = car_half_hours.half_hour_starts_at

),

counterfactual as (

    select
        half_hours.run_id,
        half_hours.dispatch_id,
        half_hours.user_id,
        half_hours.span,
        half_hours.half_hour_starts_at,
        car_half_hours.net_import_kwh
    from half_hours
    inner join car_half_hours
        on
            half_hours.counterfactual_run_id = car_half_hours.run_id
            and half_hours.user_id = car_half_hours.user_id
            and half_hours.half_hour_starts_at = car_half_hours.half_hour_starts_at

),

final as (

    select
        -- keys
        half_hours.run_id,
        half_hours.dispatch_id,
        half_hours.user_id,
        half_hours.span,
        half_hours.half_hour_starts_at,

        -- attributes
        observed.half_hour_local_at,

        -- measures
        {{ overlap_seconds(
            'half_hours.span_starts_at',
            'half_hours.span_ends_at',
            'half_hours.half_hour_starts_at',
            'half_hours.half_hour_starts_at + interval 30 minute',
        ) }} as seconds,
        observed.net_import_kwh,
        counterfactual.net_import_kwh as counterfactual_kwh
    from half_hours
    left join observed
        on
            half_hours.run_id = observed.run_id
            and half_hours.dispatch_id = observed.dispatch_id
            and half_hours.user_id = observed.user_id
            and half_hours.span = observed.span
            and half_hours.half_hour_starts_at = observed.half_hour_starts_at
    left join counterfactual
        on
            half_hours.run_id = counterfactual.run_id
            and half_hours.dispatch_id = counterfactual.dispatch_id
            and half_hours.user_id = counterfactual.user_id
            and half_hours.span = counterfactual.span
            and half_hours.half_hour_starts_at = counterfactual.half_hour_starts_at

)

select * from final
