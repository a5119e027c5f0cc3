{#- The UTC instant of a time on the clock of the time zone that an expression names, as to_utc. -#}
{% macro to_utc_by(local_time, zone) -%}
    {{ return(adapter.dispatch('to_utc_by')(local_time, zone)) }}
{%- endmacro %}

{% macro default__to_utc_by(local_time, zone) -%}
    timezone('UTC', timezone({{ zone }}, {{ local_time }}))
{%- endmacro %}

{% macro spark__to_utc_by(local_time, zone) -%}
    to_utc_timestamp({{ local_time }}, {{ zone }})
{%- endmacro %}
