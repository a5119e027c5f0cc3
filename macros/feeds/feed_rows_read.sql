{#- How many rows the files of a feed hold, counted apart from the typing and judging of base_<feed>: lines below the
    header that are not blank, the row counts in the footers of Parquet files, or the rows of the seed. Lines that DuckDB can't read are
    skipped here and counted where they are kept. -#}
{% macro feed_rows_read(name) -%}
    {%- if execute and name in named_feeds() -%}
        {%- for part in feed_layout(name) -%}
            {%- if part.kind == 'parquet' -%}
                {%- for file_name in part.files -%}
    (select sum(num_rows) from parquet_file_metadata({{ file_list([file_name]) }}))
                    {%- if not loop.last %} + {% endif -%}
                {%- endfor -%}
            {%- else -%}
    (select count(line) from {{ read_lines(part.files, skip=1) }})
            {%- endif -%}
            {%- if not loop.last %} + {% endif -%}
        {%- endfor %}
    + (select count(*) from {{ ref('base_' ~ name) }} where line_number is not null)
    {%- elif execute and named_feeds() -%}
    0
    {%- else -%}
    (select count(*) from {{ ref('raw_' ~ name) }})
    {%- endif -%}
{%- endmacro %}
