{#- The files that the var feeds names for a feed, in the order of their names, which is the order of delivery:
    a list of {name, bytes}; empty where the feed is not named. -#}
{% macro feed_files(name) %}
    {%- set pattern = var('feeds').get(name) -%}
    {%- set files = [] -%}
    {%- if pattern -%}
        {#- Without its column content, read_blob lists names and sizes and opens nothing. -#}
        {%- set found = run_query(
            "select filename, size from read_blob(" ~ dbt.string_literal(dbt.escape_single_quotes(pattern)) ~ ")
            order by filename"
        ) -%}
        {%- for row in found.rows -%}
            {%- do files.append({'name': row[0], 'bytes': row[1] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(files) }}
{% endmacro %}
