{#- The key of a dimension's unknown member, to which facts point that name nobody the dimension knows. -#}
{% macro unknown_key() -%}
    {{ surrogate_key(["'unknown'", "'unknown'"]) }}
{%- endmacro %}
