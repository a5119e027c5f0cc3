{#- A text of a feed as BOOLEAN: true, t, yes, y, 1 and false, f, no, n, 0 in any case; NULL where it is missing or none of
    these. -#}
{% macro to_boolean(text) -%}
    case
        when {{ is_missing_text(text) }} then null
        {%- for value, words in [('true', ['true', 't', 'yes', 'y', '1']), ('false', ['false', 'f', 'no', 'n', '0'])] %}
        when {% for word in words %}lower(trim({{ text }})) = '{{ word }}'{% if not loop.last %} or {% endif %}{% endfor %} then {{ value }}
        {%- endfor %}
    end
{%- endmacro %}
