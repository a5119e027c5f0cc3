{#- Whether the text of a number is one between 0 and maximum or "no value": true for nearly every row, and cheap to say. NULL or
    false does not condemn a row; it only asks for a closer look. -#}
{% macro is_plain_number(text, typed, maximum) -%}
    ({{ is_missing_text(text) }} or {{ typed }} between 0 and {{ maximum }})
{%- endmacro %}
