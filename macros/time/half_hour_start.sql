{#- The instant at which the half-hour of UTC began. -#}
{% macro half_hour_start(instant) -%}
    date_trunc('hour', {{ instant }}) + interval 30 minute * cast(floor(extract(minute from {{ instant }}) / 30) as integer)
{%- endmacro %}
