{#- A query of the files of a feed: file_number (the order of delivery, from 0) and file_name. -#}
{% macro feed_file_names(name) -%}
    {%- set names = [] -%}
    {%- if execute and name in named_feeds() -%}
        {%- for file in feed_files(name) -%}{%- do names.append(file.name) -%}{%- endfor -%}
    {%- elif not named_feeds() -%}
        {%- do names.append('seeds/raw/raw_' ~ name ~ '.csv') -%}
    {%- endif -%}
    select
        cast(file_number as integer) as file_number,
        cast(file_name as varchar) as file_name
    from (values
        {%- for file_name in names %} ({{ loop.index0 }}, {{ quoted(file_name) }}),{% endfor %} (null, null)
    ) as files (file_number, file_name)
    where file_number is not null
{%- endmacro %}
