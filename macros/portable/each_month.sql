{#- A row for each calendar month from that of one day to that of another, as a column of a select list: its first day. -#}
{% macro each_month(first_day, last_day) -%}
    {{ return(adapter.dispatch('each_month')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__each_month(first_day, last_day) -%}
    cast(unnest(generate_series(date_trunc('month', {{ first_day }}), {{ last_day }}, interval 1 month)) as date)
{%- endmacro %}

{% macro spark__each_month(first_day, last_day) -%}
    explode(sequence(date_trunc('month', {{ first_day }}), {{ last_day }}, interval 1 month))
{%- endmacro %}
