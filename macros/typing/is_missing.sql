{#- Whether the text of a feed stands for "no value", also with blanks around it. -#}
{% macro is_missing(text) -%}
    coalesce(trim({{ text }}), '') in {{ missing_texts() }}
{%- endmacro %}
