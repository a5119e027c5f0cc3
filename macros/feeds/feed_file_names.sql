{#- A query of the files of a feed: file_number (the order of delivery, from 0) and file_name. -#}
{% macro feed_file_names(name) -%}
    {%- set names = [] -%}
    {%- if execute and name in var('feeds') -%}
        {%- for file in feed_files(name) -%}{%- do names.append(file.name) -%}{%- endfor -%}
    {%- else -%}
        {%- do names.append('seeds/raw/raw_' ~ name ~ '.csv') -%}
    {%- endif -%}
    select
        cast(column0 as integer) as file_number,
        column1 as file_name
    from (values
        {%- for file_name in names %} ({{ loop.index0 }}, {{ dbt.string_literal(dbt.escape_single_quotes(file_name)) }}){% if not loop.last %},{% endif %}{% endfor -%}
    ) as files (column0, column1)
{%- endmacro %}
