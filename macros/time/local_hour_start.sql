{#- The instant at which the hour on the local clock began: an instant less the time since that hour struck, which is right
    also in the hours of a clock change and where clocks are half an hour apart from UTC. -#}
{% macro local_hour_start(instant, local_time) -%}
    {{ instant }} - ({{ local_time }} - date_trunc('hour', {{ local_time }}))
{%- endmacro %}
