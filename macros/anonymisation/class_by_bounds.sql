{#- The class of a value by ascending bounds, as text: `up to 11`, `11 to 50`, `above 50`. A bound belongs to the class below it;
    NULL stays. -#}
{% macro class_by_bounds(value, bounds) -%}
    case
        when {{ value }} is null then null
        {%- for bound in bounds %}
        when {{ value }} <= {{ bound }} then '{{ 'up to ' ~ bound if loop.first else loop.previtem ~ ' to ' ~ bound }}'
        {%- endfor %}
        else 'above {{ bounds | last }}'
    end
{%- endmacro %}
