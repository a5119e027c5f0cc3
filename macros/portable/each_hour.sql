{#- A row for each hour of UTC from that of one time to that of another, as a column of a select list. -#}
{% macro each_hour(first_time, last_time) -%}
    {{ return(adapter.dispatch('each_hour')(first_time, last_time)) }}
{%- endmacro %}

{% macro default__each_hour(first_time, last_time) -%}
    unnest(generate_series(date_trunc('hour', {{ first_time }}), {{ last_time }}, interval 1 hour))
{%- endmacro %}

{% macro spark__each_hour(first_time, last_time) -%}
    explode(sequence(date_trunc('hour', {{ first_time }}), {{ last_time }}, interval 1 hour))
{%- endmacro %}
