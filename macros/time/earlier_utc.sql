{#- The UTC instant of a time on the clock of a time zone; of the two of a repeated time the earlier. -#}
{% macro earlier_utc(local_time, time_zone) -%}
    {{ earlier_utc_by(local_time, "'" ~ time_zone ~ "'") }}
{%- endmacro %}


{#- The same where an expression names the time zone. -#}
{% macro earlier_utc_by(local_time, zone) -%}
    ({{ to_utc_by(local_time, zone) }} - coalesce({{ fold_minutes_by(local_time, zone) }}, 0) * interval 1 minute)
{%- endmacro %}
