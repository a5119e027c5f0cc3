{#- Whether a time on the clock of a time zone never was: the clock was set forward over it. -#}
{% macro is_in_gap(local_time, time_zone) -%}
    {{ to_local('(' ~ to_utc(local_time, time_zone) ~ ')', time_zone) }} <> {{ local_time }}
{%- endmacro %}
