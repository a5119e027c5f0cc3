{#- Whether a text has a mark that no number of the feed's form has, though DuckDB would take it: 1_000, or 12.5 where
    decimals have a comma. -#}
{% macro is_foreign_number(text, decimal) -%}
    (contains({{ text }}, '_'){% if decimal != '.' %} or contains({{ text }}, '.'){% endif %})
{%- endmacro %}
