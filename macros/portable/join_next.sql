{#- Joins to each row the row of a relation that is the first at or after an instant, among those with the same keys;
    NULL where there is none. -#}
{% macro join_next(relation, alias, keys, time_column, instant, is_strict=false) -%}
    {{ return(adapter.dispatch('join_next')(relation, alias, keys, time_column, instant, is_strict)) }}
{%- endmacro %}

{% macro default__join_next(relation, alias, keys, time_column, instant, is_strict) -%}
    asof left join {{ relation }} as {{ alias }}
            on
                {%- for column, expression in keys.items() %}
                {{ expression }} = {{ alias }}.{{ column }}
                and
                {%- endfor %} {{ instant }} {{ '<' if is_strict else '<=' }} {{ alias }}.{{ time_column }}
{%- endmacro %}

{% macro spark__join_next(relation, alias, keys, time_column, instant, is_strict) -%}
    left join (
            select
                *,
                lag({{ time_column }}) over (
                    partition by {{ keys.keys() | join(', ') }}
                    order by {{ time_column }}
                ) as _last_time
            from {{ relation }}
        ) as {{ alias }}
            on
                {%- for column, expression in keys.items() %}
                {{ expression }} = {{ alias }}.{{ column }}
                and
                {%- endfor %} {{ instant }} {{ '<' if is_strict else '<=' }} {{ alias }}.{{ time_column }}
                and ({{ instant }} {{ '>=' if is_strict else '>' }} {{ alias }}._last_time or {{ alias }}._last_time is null)
{%- endmacro %}
