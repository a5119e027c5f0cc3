{#- Uptime in percent of a time, from its seconds of outage and those of them that are excluded: 23 CFR 680.116(b). The time
    of a leap year is counted as 365 days, so that its outages can be longer than it is. -#}
{% macro uptime_pct(seconds, outage_seconds, excluded_seconds) -%}
    greatest(
        100 * cast({{ seconds }} - ({{ outage_seconds }} - {{ excluded_seconds }}) as double) / cast({{ seconds }} as double),
        0
    )
{%- endmacro %}
