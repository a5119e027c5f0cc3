{#- The CTE stays: those of simulated cars that overlap a half-open span of time, given as SQL expressions, with what is known of
    the battery at the begin of the overlap: at the half-hour's turn before it, or at the plug-in where that is later. Every
    stay is compared with both ends at once, so that an error in one of them is raised also where no stay would overlap. -#}
{% macro with_stays_plugged_in(starts_at, ends_at) -%}
with

span as (

    select
        {{ starts_at }} as span_starts_at,
        {{ ends_at }} as span_ends_at

),

compared as (

    select
        stays.*,
        span.*,
        {{ overlap_seconds('stays.plugged_in_at', 'stays.ended_at', 'span.span_starts_at', 'span.span_ends_at') }}
            as seconds_plugged_in
    from {{ in_warehouse('int_simulator__stays') }} as stays
    cross join span

),

stays as (

    select
        compared.*,
        cars.archetype,
        cars.target_soc_pct,
        coalesce(
            case when compared.plugged_in_at <= half_hours.half_hour_starts_at then half_hours.soc_pct end,
            compared.soc_start_pct
        ) as soc_pct
    from compared
    left join {{ in_warehouse('stg_simulator__users') }} as cars
        on
            compared.run_id = cars.run_id
            and compared.user_id = cars.user_id
    left join {{ in_warehouse('int_simulator__car_half_hours') }} as half_hours
        on
            compared.run_id = half_hours.run_id
            and compared.user_id = half_hours.user_id
            and half_hours.half_hour_starts_at = {{ half_hour_start('compared.span_starts_at') }}
    where compared.seconds_plugged_in > 0

)
{%- endmacro %}
