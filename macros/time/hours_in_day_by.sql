{#- How many hours a day has on the clock of the time zone that an expression names: 24, or 23 and 25 where the clock is
    changed. -#}
{% macro hours_in_day_by(day, zone) -%}
    cast({{ minutes_between(
        earlier_utc_by('cast(' ~ day ~ ' as timestamp)', zone),
        earlier_utc_by('cast(' ~ day ~ ' + interval 1 day as timestamp)', zone),
    ) }} / 60 as integer)
{%- endmacro %}
