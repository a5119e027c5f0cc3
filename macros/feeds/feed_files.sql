{#- The files that the var feeds names for a feed, in the order of their names, which is the order of delivery:
    a list of {name, bytes}; empty where the feed is not named. A file of exactly that name comes before what it would
    match as a glob. -#}
{% macro feed_files(name) %}
    {%- set files = [] -%}
    {%- set pattern = named_feeds().get(name) -%}
    {%- if pattern is string -%}
        {%- for names in [file_list([pattern]), quoted(pattern)] if not files -%}
            {#- Without its column content, read_blob lists names and sizes and opens nothing. -#}
            {%- set found = run_query("select filename, size from read_blob(" ~ names ~ ") order by filename") -%}
            {%- for row in found.rows -%}
                {%- do files.append({'name': row[0], 'bytes': row[1] | int}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- elif name in named_feeds() -%}
        {{ refuse_feed(name, 'file_not_found', 'name one file or glob, not ' ~ pattern) }}
    {%- endif -%}
    {{ return(files) }}
{% endmacro %}
