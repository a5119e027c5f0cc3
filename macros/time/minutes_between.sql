{#- Minutes from one time to another, with their fraction; negative where the second is the earlier. -#}
{% macro minutes_between(first_time, second_time) -%}
    {{ seconds_between(first_time, second_time) }} / 60
{%- endmacro %}
