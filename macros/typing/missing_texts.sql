{#- The texts that stand for "no value" (the var missing_texts) as an SQL list. -#}
{% macro missing_texts() -%}
    ({% for missing in var('missing_texts') %}{{ dbt.string_literal(missing) }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endmacro %}
