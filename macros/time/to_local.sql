{#- A UTC instant on the clock of a time zone. -#}
{% macro to_local(instant, time_zone) -%}
    {{ return(adapter.dispatch('to_local')(instant, time_zone)) }}
{%- endmacro %}

{% macro default__to_local(instant, time_zone) -%}
    timezone('{{ time_zone }}', timezone('UTC', {{ instant }}))
{%- endmacro %}

{% macro spark__to_local(instant, time_zone) -%}
    from_utc_timestamp({{ instant }}, '{{ time_zone }}')
{%- endmacro %}
