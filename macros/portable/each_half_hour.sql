{#- A row for each half-hour of UTC from that of one time to that of another, as a column of a select list. -#}
{% macro each_half_hour(first_time, last_time) -%}
    {{ return(adapter.dispatch('each_half_hour')(first_time, last_time)) }}
{%- endmacro %}

{% macro default__each_half_hour(first_time, last_time) -%}
    unnest(generate_series({{ half_hour_start(first_time) }}, {{ last_time }}, interval 30 minute))
{%- endmacro %}

{% macro spark__each_half_hour(first_time, last_time) -%}
    explode(sequence({{ half_hour_start(first_time) }}, {{ last_time }}, interval 30 minute))
{%- endmacro %}
