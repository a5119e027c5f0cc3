{#- Seconds that two spans of time share; 0 where they don't meet. -#}
{% macro overlap_seconds(first_from, first_to, second_from, second_to) -%}
    greatest({{ seconds_between(
        'greatest(' ~ first_from ~ ', ' ~ second_from ~ ')',
        'least(' ~ first_to ~ ', ' ~ second_to ~ ')',
    ) }}, 0)
{%- endmacro %}
