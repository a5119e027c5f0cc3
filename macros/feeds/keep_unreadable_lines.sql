{#- After the rows of a feed are in its base table, the lines that DuckDB could not read (no UTF-8, too long) follow,
    each with its reason and the text DuckDB has of it. Runs on the connection that read the files, where the lines
    wait in temporary tables. -#}
{% macro keep_unreadable_lines(name) %}
    {%- if execute and name in named_feeds() -%}
        {%- for part in feed_layout(name) if part.kind == 'csv' -%}
            {%- set table = unreadable_lines_table(name, part) | trim -%}
            {%- if loop.first %}
insert into {{ this }} (file_number, line_number, raw_text, rejection_reason, row_status)
            {%- else %}
union all
            {%- endif %}
select
    cast({{ part.first_file }} + file_id as integer),
    cast(line as bigint),
    left(ltrim(any_value(csv_line order by column_idx), e'\r\n'), 1000),
    case
        when bool_or(error_type = 'LINE SIZE OVER MAXIMUM') then 'line_too_long'
        when bool_or(error_type = 'INVALID ENCODING') then 'invalid_encoding'
        else 'unreadable_line'
    end,
    'rejected'
from {{ table }}
group by file_id, line
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
