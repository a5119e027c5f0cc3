{#- Minutes from one time to another, with their fraction; negative where the second is the earlier. -#}
{% macro minutes_between(first_time, second_time) -%}
    cast(extract(epoch from {{ second_time }} - {{ first_time }}) as decimal(18, 6)) / 60
{%- endmacro %}
