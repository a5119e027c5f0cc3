{#- The arguments of a KPI function, checked: one row of first_date, end_date (exclusive) and profile. Bad ones are the
    errors that a caller sees. They stand in a row that every query reads, so that they are checked even where no data
    would match. NULL for a date means open. -#}
{% macro kpi_arguments() -%}
    select
        {{ kpi_range() }},
        {{ kpi_profile() }} as profile
{%- endmacro %}


{#- start_date and end_date as the columns first_date and end_date. Both raise every error: DuckDB may find from the first
    one alone that no row can match, and never ask for the other. -#}
{% macro kpi_range() -%}
    {%- for argument, column in [('start_date', 'first_date'), ('end_date', 'end_date')] %}
    case
        when {{ kpi_date('start_date') }} > {{ kpi_date('end_date') }}
            then error('start_date must not be after end_date')
        else {{ kpi_date(argument) }}
    end as {{ column }}{% if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}


{#- An argument as a date, whether it was given as text or as a date. -#}
{% macro kpi_date(argument) -%}
    case
        when {{ argument }} is null then cast(null as date)
        when
            isfinite(try_cast(cast({{ argument }} as varchar) as date))
            -- a time of the day is no date, and not dropped without a word
            and try_cast(cast({{ argument }} as varchar) as timestamp) = try_cast(cast({{ argument }} as varchar) as date)
            then try_cast(cast({{ argument }} as varchar) as date)
        else error('{{ argument }} is not a date: ' || cast({{ argument }} as varchar))
    end
{%- endmacro %}


{% macro kpi_profile() -%}
    case
        when load_profile in ({% for profile in load_profiles() %}'{{ profile.name }}'{% if not loop.last %}, {% endif %}{% endfor %}) then load_profile
        else error('load_profile must be one of {{ load_profiles() | map(attribute="name") | join(", ") }}')
    end
{%- endmacro %}


{#- What a function of a date range takes. -#}
{% macro kpi_range_parameters() %}
    {{ return(['start_date := null', 'end_date := null', "load_profile := '" ~ var('default_load_profile') ~ "'"]) }}
{% endmacro %}


{#- The CTEs of a function of a range of days: its arguments, and the days of daily_load with data in the range and profile
    that they name. -#}
{% macro with_kpi_days() -%}
with

arguments as (

    {{ kpi_arguments() }}

),

days as (

    select daily_load.*
    from {{ in_warehouse('daily_load') }} as daily_load
    inner join arguments
        on
            daily_load.load_profile = arguments.profile
            and daily_load.date_key >= coalesce(arguments.first_date, daily_load.date_key)
            and daily_load.date_key < coalesce(arguments.end_date, daily_load.date_key + interval 1 day)
    where daily_load.has_data

)
{%- endmacro %}
