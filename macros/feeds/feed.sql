{#- The rows of a feed as text, whatever it is delivered as: the seed raw_<feed>, or the files that the var feeds
    names for it. Columns: those of the contract, as delivered, then
      _file_number  the file's place in the order of delivery, from 0
      _raw_text     the row as delivered
      _line_fault   why the line is no row of the feed, else NULL
    Columns stand in the order of the contract; further columns of a file are not read. -#}
{% macro feed(name) %}
    {#- The seed is always a parent: in the lineage, and empty as soon as the var names any feed. -#}
    {%- set seed = ref('raw_' ~ name) -%}
    {%- if not execute -%}
(select * from {{ seed }})
    {%- elif name in named_feeds() -%}
(
        {%- for part in feed_layout(name) %}
    {% if not loop.first %}union all by name{% endif %}
    {{ read_parquet_part(name, part) if part.kind == 'parquet' else read_csv_part(name, part) }}
        {%- endfor %}
)
    {%- else -%}
        {%- set contract = feed_contract(name) -%}
(
    select
        {%- for column in contract.columns %}
        "{{ column.name }}",
        {%- endfor %}
        0 as _file_number,
        {{ row_as_text(contract) }} as _raw_text,
        cast(null as varchar) as _line_fault
    from {{ seed }}
    {#- A seed that an earlier build has filled must not be read beside the user's files. -#}
    {%- if named_feeds() %}
    where false
    {%- endif %}
)
    {%- endif -%}
{% endmacro %}


{#- Rows of text files that share one header. -#}
{% macro read_csv_part(name, part) %}
    {%- set contract = feed_contract(name) -%}
    select
        {%- for column in contract.columns %}
        fields[{{ part.header.index(column.name) + 1 }}] as "{{ column.name }}",
        {%- endfor %}
        cast({{ part.first_file }} + file_index as integer) as _file_number,
        line as _raw_text,
        case
            when line is null then 'blank_line'
            when fields is null then 'broken_quote'
            when len(fields) < {{ part.header | length }} then 'too_few_fields'
            when len(fields) > {{ part.header | length }} then 'too_many_fields'
            when contains(line, chr(0)) then 'nul_character'
        end as _line_fault
    from (
        select
            line,
            file_index,
            {{ split_line('line', contract.delimiter) }} as fields
        from {{ read_lines(part.files, skip=1, rejects=unreadable_lines_table(name, part)) }}
    )
{% endmacro %}


{#- Rows of Parquet files that share one schema, file by file: a file may have columns of any name, also of those by which
    DuckDB numbers files. Values that are not text are written as the contract would have them, numbers with its decimal
    separator, times in ISO 8601. -#}
{% macro read_parquet_part(name, part) %}
    {%- set contract = feed_contract(name) -%}
    {%- for file_name in part.files %}
    {% if not loop.first %}union all by name{% endif %}
    select
        {%- for column in contract.columns %}
        {%- set text = parquet_value_as_text(column.name, column.kind, part.types[column.name]) %}
        {%- if column.kind == 'decimal' and part.types[column.name] != 'VARCHAR' %}
        replace({{ text }}, '.', '{{ contract.decimal }}') as "{{ column.name }}",
        {%- else %}
        {{ text }} as "{{ column.name }}",
        {%- endif %}
        {%- endfor %}
        {{ part.first_file + loop.index0 }} as _file_number,
        {{ row_as_text(contract) }} as _raw_text,
        cast(null as varchar) as _line_fault
    from read_parquet({{ file_list([file_name]) }})
    {%- endfor %}
{% endmacro %}


{#- A value of a Parquet file as text. An id that was delivered as a floating number, as pandas does with a missing value
    among integers, is the integer that it stands for, and a time of nanoseconds one of microseconds. -#}
{% macro parquet_value_as_text(name, kind, type) -%}
    {%- set value = '"' ~ name ~ '"' -%}
    {%- if kind == 'text' and type in ('FLOAT', 'DOUBLE') -%}
        case
            when {{ value }} = trunc({{ value }}) and abs({{ value }}) < 1e15
                then cast(cast({{ value }} as bigint) as varchar)
            else cast({{ value }} as varchar)
        end
    {%- elif type == 'TIMESTAMP_NS' -%}
        cast(cast({{ value }} as timestamp) as varchar)
    {%- else -%}
        cast({{ value }} as varchar)
    {%- endif -%}
{%- endmacro %}


{#- A row that was not delivered as a line, as the line that the contract would have. -#}
{% macro row_as_text(contract) -%}
    concat_ws(
        '{{ contract.delimiter }}'
        {%- for column in contract.columns %}, coalesce(cast("{{ column.name }}" as varchar), ''){% endfor -%}
    )
{%- endmacro %}


{#- The temporary table in which DuckDB sets aside what it can't read of a part of a feed. -#}
{% macro unreadable_lines_table(name, part) -%}
    unreadable_{{ name }}_{{ part.first_file }}
{%- endmacro %}
