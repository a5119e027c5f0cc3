{#- The UTC instant of a time on the clock of a time zone. In the repeated autumn hour this is the later of the two
    instants; the earlier is fold_minutes before it (see earlier_utc). -#}
{% macro to_utc(local_time, time_zone) -%}
    {{ return(adapter.dispatch('to_utc')(local_time, time_zone)) }}
{%- endmacro %}

{% macro default__to_utc(local_time, time_zone) -%}
    timezone('UTC', timezone('{{ time_zone }}', {{ local_time }}))
{%- endmacro %}

{% macro spark__to_utc(local_time, time_zone) -%}
    to_utc_timestamp({{ local_time }}, '{{ time_zone }}')
{%- endmacro %}
