{#- What the files of a feed look like beside its contract, file by file in the order of delivery. Runs of files with
    the same header share one entry, so that they are read together:
    [{kind: csv|parquet, header: [names], types: {name: type}, files: [names], first_file: number}].
    A file that breaks the contract is an error that names the file and the column. -#}
{% macro feed_layout(name) %}
    {%- set contract = feed_contract(name) -%}
    {%- set layout = [] -%}
    {%- set files = feed_files(name) -%}
    {%- if not files -%}{{ refuse_feed(name, 'file_not_found', 'no file matches ' ~ named_feeds()[name]) }}{%- endif -%}
    {%- for file in files -%}
        {%- if file.bytes == 0 -%}{{ refuse_feed(name, 'empty_file', 'file ' ~ file.name ~ ' is empty') }}{%- endif -%}
        {%- set header = [] -%}
        {%- set types = {} -%}
        {%- if (file.name | lower).endswith(('.parquet', '.parq', '.pq')) -%}
            {%- set kind = 'parquet' -%}
            {%- set described = run_query("describe select * from read_parquet(" ~ file_list([file.name]) ~ ")") -%}
            {%- for row in described.rows -%}
                {%- do header.append(row[0]) -%}
                {%- do types.update({row[0]: row[1]}) -%}
            {%- endfor -%}
        {%- else -%}
            {%- set kind = 'csv' -%}
            {%- set fields = run_query(
                "select unnest(" ~ split_line('line', contract.delimiter) ~ ")
                from (select line from " ~ read_lines([file.name]) ~ " limit 1)"
            ) -%}
            {%- for row in fields.rows -%}{%- do header.append((row[0] or '') | trim) -%}{%- endfor -%}
        {%- endif -%}
        {%- do compare_header(name, contract, file.name, header) -%}
        {%- if layout and layout[-1].header == header and layout[-1].types == types -%}
            {%- do layout[-1].files.append(file.name) -%}
        {%- else -%}
            {%- do layout.append({
                'kind': kind, 'header': header, 'types': types, 'files': [file.name], 'first_file': loop.index0,
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(layout) }}
{% endmacro %}
