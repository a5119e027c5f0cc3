{#- Whether a supplier is one of some. Written out and no IN list, because DuckDB joins to one of five or more values, and a join loses
    the order of the rows. -#}
{% macro is_of_supplier(supplier, names) -%}
    ({% for name in names %}{{ supplier }} = {{ quoted(name) }}{% if not loop.last %} or {% endif %}{% else %}false{% endfor %})
{%- endmacro %}
