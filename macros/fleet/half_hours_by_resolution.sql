{#- The half-hours of cars, each in the two groups that the figures of a fleet are given for: that of its half-hour of the run
    (half_hour_starts_at) and that of its half-hour of the day (half_hour_of_day), the other one NULL. -#}
{% macro half_hours_by_resolution() -%}
    select
        * exclude (half_hour_starts_at, half_hour_local_at),
        'half_hour_of_run' as resolution,
        half_hour_starts_at,
        half_hour_local_at,
        cast(null as integer) as half_hour_of_day,
        half_hour_starts_at as instant
    from {{ ref('int_simulator__car_half_hours') }}

    union all

    select
        * exclude (half_hour_starts_at, half_hour_local_at),
        'half_hour_of_day' as resolution,
        null as half_hour_starts_at,
        null as half_hour_local_at,
        {{ half_hour_of_day('half_hour_local_at') }} as half_hour_of_day,
        half_hour_starts_at as instant
    from {{ ref('int_simulator__car_half_hours') }}
{%- endmacro %}
