{#- The instant at which the quarter-hour of UTC began. Clocks are changed at a quarter-hour only, so that a local time found for
    it holds for all of it: to ask the time-zone database about every row costs ten times as much. -#}
{% macro quarter_start(instant) -%}
    date_trunc('hour', {{ instant }}) + interval 15 minute * cast(floor(extract(minute from {{ instant }}) / 15) as integer)
{%- endmacro %}
