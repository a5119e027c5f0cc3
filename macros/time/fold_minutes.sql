{#- How far apart the two instants of a time on the clock of a time zone are in the hour that was twice, else NULL. Clocks
    are set back by 60 minutes, on Lord Howe Island by 30. -#}
{% macro fold_minutes(local_time, time_zone) -%}
    case
        {%- for minutes in [60, 30] %}
        when {{ to_local('(' ~ to_utc(local_time, time_zone) ~ ' - interval ' ~ minutes ~ ' minute)', time_zone) }} = {{ local_time }} then {{ minutes }}
        {%- endfor %}
    end
{%- endmacro %}
