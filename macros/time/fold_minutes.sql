{#- How far apart the two instants of a time on the clock of a time zone are in the hour that was twice, else NULL. Clocks
    are set back by 60 minutes, on Lord Howe Island by 30. -#}
{% macro fold_minutes(local_time, time_zone) -%}
    {{ fold_minutes_by(local_time, "'" ~ time_zone ~ "'") }}
{%- endmacro %}


{#- The same where an expression names the time zone. -#}
{% macro fold_minutes_by(local_time, zone) -%}
    case
        {%- for minutes in [60, 30] %}
        when {{ to_local_by('(' ~ to_utc_by(local_time, zone) ~ ' - interval ' ~ minutes ~ ' minute)', zone) }} = {{ local_time }} then {{ minutes }}
        {%- endfor %}
    end
{%- endmacro %}
