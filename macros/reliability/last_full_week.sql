{#- A query of one row: the last week from Monday to Sunday whose end the days of a relation reach, as its first day and the
    first day after it; NULL where there are no days. -#}
{% macro last_full_week(relation, day) -%}
    select
        cast(date_trunc('week', max({{ day }}) + interval 1 day) - interval 7 day as date) as first_date,
        cast(date_trunc('week', max({{ day }}) + interval 1 day) as date) as end_date
    from {{ relation }}
{%- endmacro %}
