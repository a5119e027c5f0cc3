{#- The period of the day in which a local time lies, by the var telematics_day_periods (name: first hour). Hours before the first
    period belong to the last one, which then goes past midnight. -#}
{% macro day_period(local_time) -%}
    {%- set latest_first = var('telematics_day_periods').items() | sort(attribute='1', reverse=true) -%}
    case
        {%- for name, first_hour in latest_first %}
        when extract(hour from {{ local_time }}) >= {{ first_hour }} then '{{ name }}'
        {%- endfor %}
        else '{{ latest_first[0][0] }}'
    end
{%- endmacro %}
