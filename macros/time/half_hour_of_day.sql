{#- The half-hour of the day that a time on a clock lies in, 0 to 47. -#}
{% macro half_hour_of_day(local_time) -%}
    cast(extract(hour from {{ local_time }}) * 2 + floor(extract(minute from {{ local_time }}) / 30) as integer)
{%- endmacro %}
