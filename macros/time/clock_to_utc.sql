{#- The UTC instant of a time on the clock of a time zone, of the two of a repeated time the earlier: what earlier_utc says,
    as comparisons with the changes of the clock from the newest on, which cost a tenth for times of the last years. -#}
{% macro clock_to_utc(local_time, time_zone) -%}
    {{ local_time }} - case
        {%- set clock = clock_changes(time_zone) -%}
        {%- for change in clock.changes %}
        when {{ local_time }} >= timestamp '{{ change.ends_at }}' then interval '{{ change.minutes_after | int }} minutes'
        when {{ local_time }} >= timestamp '{{ change.begins_at }}' then interval '{{ change.minutes_before | int }} minutes'
        {%- endfor %}
        else interval '{{ clock.minutes }} minutes'
    end
{%- endmacro %}


{#- By how many minutes the clock was set back where it shows a time twice, and as a negative number forward where it never
    showed it; 0 else. -#}
{% macro clock_set_back_minutes(local_time, time_zone) -%}
    case
        {%- for change in clock_changes(time_zone).changes %}
        when {{ local_time }} >= timestamp '{{ change.ends_at }}' then 0
        when {{ local_time }} >= timestamp '{{ change.begins_at }}' then {{ (change.minutes_before - change.minutes_after) | int }}
        {%- endfor %}
        else 0
    end
{%- endmacro %}
