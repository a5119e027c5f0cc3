{#- Seconds from one time to another, exact to the microsecond; negative where the second is the earlier. -#}
{% macro seconds_between(first_time, second_time) -%}
    cast(extract(epoch from {{ second_time }} - {{ first_time }}) as decimal(18, 6))
{%- endmacro %}
