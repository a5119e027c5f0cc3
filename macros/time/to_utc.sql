{#- The UTC instant of a time on the clock of a time zone. In the repeated autumn hour this is the later of the two
    instants; the earlier is fold_minutes before it (see earlier_utc). -#}
{% macro to_utc(local_time, time_zone) -%}
    {{ to_utc_by(local_time, "'" ~ time_zone ~ "'") }}
{%- endmacro %}
