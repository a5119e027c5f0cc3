{#- Joins to each row the row of a relation that is the latest at or before an instant, among those with the same key;
    NULL where there is none. -#}
{% macro join_latest(relation, alias, key_column, key, time_column, instant) -%}
    {{ return(adapter.dispatch('join_latest')(relation, alias, key_column, key, time_column, instant)) }}
{%- endmacro %}

{% macro default__join_latest(relation, alias, key_column, key, time_column, instant) -%}
    asof left join {{ relation }} as {{ alias }}
            on
                {{ key }} = {{ alias }}.{{ key_column }}
                and {{ instant }} >= {{ alias }}.{{ time_column }}
{%- endmacro %}

{% macro spark__join_latest(relation, alias, key_column, key, time_column, instant) -%}
    left join (
            select
                *,
                lead({{ time_column }}) over (partition by {{ key_column }} order by {{ time_column }}) as _next_time
            from {{ relation }}
        ) as {{ alias }}
            on
                {{ key }} = {{ alias }}.{{ key_column }}
                and {{ instant }} >= {{ alias }}.{{ time_column }}
                and ({{ instant }} < {{ alias }}._next_time or {{ alias }}._next_time is null)
{%- endmacro %}
