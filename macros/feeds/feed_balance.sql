{#- Where the rows of a feed ended: rows counted in its files beside rows counted in its tables, one row. -#}
{% macro feed_balance(name) -%}
    select
        '{{ name }}' as feed,
        (select count(*) from ({{ feed_file_names(name) }})) as files,
        {{ feed_rows_read(name) }} as rows_read,
        (select count(*) from {{ ref('stg_' ~ name) }}) as accepted_rows,
        count(case when row_status = 'duplicate' then 1 end) as duplicate_rows,
        count(case when row_status = 'superseded' then 1 end) as superseded_rows,
        count(case when row_status = 'rejected' then 1 end) as rejected_rows,
        nullif({{ quoted(feed_extra_columns(name) | join(', ')) }}, '') as extra_columns
    from {{ ref('base_' ~ name) }}
{%- endmacro %}
