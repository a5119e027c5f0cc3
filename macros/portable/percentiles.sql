{#- Percentiles of a value, interpolated between neighbours, as one list: all of them from the same sorted values, which one
    aggregate per percentile would each keep for itself. -#}
{% macro percentiles(value, percents) -%}
    {{ return(adapter.dispatch('percentiles')(value, percents)) }}
{%- endmacro %}

{% macro default__percentiles(value, percents) -%}
    quantile_cont({{ value }}, [{% for percent in percents %}{{ percent / 100 }}{% if not loop.last %}, {% endif %}{% endfor %}])
{%- endmacro %}

{% macro spark__percentiles(value, percents) -%}
    percentile({{ value }}, array({% for percent in percents %}{{ percent / 100 }}{% if not loop.last %}, {% endif %}{% endfor %}))
{%- endmacro %}


{#- One of the values of such a list, by its place from 1. -#}
{% macro value_at(values, place) -%}
    {{ return(adapter.dispatch('value_at')(values, place)) }}
{%- endmacro %}

{% macro default__value_at(values, place) -%}
    {{ values }}[{{ place }}]
{%- endmacro %}

{% macro spark__value_at(values, place) -%}
    element_at({{ values }}, {{ place }})
{%- endmacro %}
