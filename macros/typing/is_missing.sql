{#- Whether the text of a feed stands for "no value", also with blanks around it. -#}
{% macro is_missing(text) -%}
    {{ is_missing_text("coalesce(trim(" ~ text ~ "), '')") }}
{%- endmacro %}
