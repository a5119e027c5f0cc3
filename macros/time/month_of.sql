{#- The calendar month of a local time or day as text, `2024-10`. -#}
{% macro month_of(local_time) -%}
    substring(cast({{ local_time }} as varchar), 1, 7)
{%- endmacro %}
