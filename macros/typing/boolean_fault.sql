{#- Why the text of a flag could not be typed: not_a_boolean; NULL where it is fine or missing. typed is the result of
    to_boolean. -#}
{% macro boolean_fault(text, typed) -%}
    case when {{ typed }} is null and not {{ is_missing(text) }} then 'not_a_boolean:{{ text }}' end
{%- endmacro %}
