{#- A UTC instant on the clock of the time zone that an expression names, such as a column of zones. -#}
{% macro to_local_by(instant, zone) -%}
    {{ return(adapter.dispatch('to_local_by')(instant, zone)) }}
{%- endmacro %}

{% macro default__to_local_by(instant, zone) -%}
    timezone({{ zone }}, timezone('UTC', {{ instant }}))
{%- endmacro %}

{% macro spark__to_local_by(instant, zone) -%}
    from_utc_timestamp({{ instant }}, {{ zone }})
{%- endmacro %}
