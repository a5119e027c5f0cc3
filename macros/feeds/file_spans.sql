{#- Where the rows of each file of a feed stand in its base table: feed, file_number, first_row_id, last_row_id. -#}
{% macro file_spans(name) -%}
    select
        '{{ name }}' as feed,
        file_number,
        min(rowid) as first_row_id,
        max(rowid) as last_row_id
    from {{ ref('base_' ~ name) }}
    where line_number is null
    group by file_number
{%- endmacro %}
