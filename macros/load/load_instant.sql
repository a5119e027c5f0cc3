{#- The UTC instant of an hourly load from its hour on the clock and which of the two hours of that name it is. -#}
{% macro load_instant(time_zone) -%}
    {{ to_utc('load_started_local_at', time_zone) }}
    - case when hour_occurrence = 1 then coalesce(fold_minutes, 0) else 0 end * interval 1 minute
{%- endmacro %}
