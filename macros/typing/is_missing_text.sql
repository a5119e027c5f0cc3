{#- Whether a text is one of those that stand for "no value" (the var missing_texts), to the letter. Written out and no IN
    list, because DuckDB joins to one of five or more values, and a join loses the order of the rows. -#}
{% macro is_missing_text(text) -%}
    ({% for missing in var('missing_texts') %}{{ text }} = {{ dbt.string_literal(missing) }}{% if not loop.last %} or {% endif %}{% endfor %})
{%- endmacro %}
