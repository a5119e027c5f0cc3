{#- The key of dim_time: minutes after local midnight at which the quarter-hour of a local time begins. -#}
{% macro time_key(local_time) -%}
    cast(extract(hour from {{ local_time }}) * 60 + extract(minute from {{ local_time }}) - extract(minute from {{ local_time }}) % 15 as integer)
{%- endmacro %}
