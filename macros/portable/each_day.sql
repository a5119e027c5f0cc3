{#- A row for each day of UTC from that of one time to that of another, as a column of a select list. -#}
{% macro each_day(first_time, last_time) -%}
    {{ return(adapter.dispatch('each_day')(first_time, last_time)) }}
{%- endmacro %}

{% macro default__each_day(first_time, last_time) -%}
    cast(unnest(generate_series(date_trunc('day', {{ first_time }}), {{ last_time }}, interval 1 day)) as date)
{%- endmacro %}

{% macro spark__each_day(first_time, last_time) -%}
    explode(sequence(to_date({{ first_time }}), to_date({{ last_time }}), interval 1 day))
{%- endmacro %}
