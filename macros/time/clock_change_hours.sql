{#- The hours on the clock of a time zone that never were (gap_hours) and that were twice (fold_hours), from the var
    earliest_date to as_of, as SQL lists of timestamps for list_contains. They are looked up once, when a model is
    compiled: to ask the time-zone database about every row would cost more than to read the row. It is no IN list,
    because DuckDB joins to one of five or more values, and a join loses the order of the rows. -#}
{% macro gap_hours(time_zone) -%}
    {{ clock_change_hours(is_in_gap('local_hour_at', time_zone)) }}
{%- endmacro %}

{% macro fold_hours(time_zone) -%}
    {{ clock_change_hours(fold_minutes('local_hour_at', time_zone) ~ ' = 60') }}
{%- endmacro %}

{% macro clock_change_hours(condition) -%}
    {%- set query -%}
        select strftime(local_hour_at, '%Y-%m-%d %H:%M:%S')
        from (
            select unnest(generate_series(
                cast('{{ var("earliest_date") }}' as timestamp),
                cast('{{ var("as_of") }}' as timestamp) + interval 23 hour,
                interval 1 hour
            )) as local_hour_at
        )
        where {{ condition }}
        order by local_hour_at
    {%- endset -%}
    {%- set hours = run_query(query).columns[0].values() if execute else [] -%}
    cast([{% for hour in hours %}'{{ hour }}'{% if not loop.last %}, {% endif %}{% endfor %}] as timestamp[])
{%- endmacro %}
