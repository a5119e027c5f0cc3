{#- The UTC instant of a time on the clock of a time zone; of the two of a repeated time the earlier. -#}
{% macro earlier_utc(local_time, time_zone) -%}
    ({{ to_utc(local_time, time_zone) }} - coalesce({{ fold_minutes(local_time, time_zone) }}, 0) * interval 1 minute)
{%- endmacro %}
