{#- The instant at which a day begins on the clock of the time zone that an expression names: midnight, or the first minute
    after it where the clock is set forward over midnight. -#}
{% macro day_start_by(day, zone) -%}
    {{ earlier_utc_by('cast(' ~ day ~ ' as timestamp)', zone) }}
{%- endmacro %}
