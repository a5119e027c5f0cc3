{#- A figure rounded to whole steps: half a step goes up. NULL stays. -#}
{% macro rounded_to(value, step) -%}
    cast(floor(cast({{ value }} as double) / {{ step }} + 0.5) * {{ step }} as bigint)
{%- endmacro %}
