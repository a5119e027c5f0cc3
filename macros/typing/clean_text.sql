{#- A text of a feed without the blanks around it; NULL where it stands for "no value". Blanks are rare, so they are
    looked for before they are taken off. -#}
{% macro clean_text(text) -%}
    case
        when {{ is_missing_text(text) }} then null
        when not contains({{ text }}, ' ') then {{ text }}
        when not {{ is_missing(text) }} then trim({{ text }})
    end
{%- endmacro %}
