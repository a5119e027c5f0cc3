{#- A text of a feed as DATE: YYYY-MM-DD, also with the midnight that Parquet files of days carry; NULL where it is missing or
    none of these. -#}
{% macro to_date(text) -%}
    cast(try_strptime({{ text }}, ['%Y-%m-%d', '%Y-%m-%d 00:00:00', '%Y-%m-%dT00:00:00']) as date)
{%- endmacro %}
