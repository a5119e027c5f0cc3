{#- A text as an SQL literal. -#}
{% macro quoted(text) -%}
    {{ dbt.string_literal(dbt.escape_single_quotes(text)) }}
{%- endmacro %}
