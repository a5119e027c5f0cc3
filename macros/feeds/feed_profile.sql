{#- What a feed looks like column by column, on the text as delivered and typed by the kind that its contract names:
    one row per column of the contract. The feed is read once for all of its columns. Different texts are
    counted by a hash, which keeps columns of millions of them in memory. -#}
{% macro feed_profile(name) -%}
    {%- set contract = feed_contract(name) if execute else {'columns': [], 'decimal': '.', 'time_format': '', 'time_zone': ''} -%}
    select
        '{{ name }}' as feed,
        columns.column_name,
        cast(columns.place as integer) as column_number,
        columns.kind,
        cast(columns.rows_read as bigint) as rows_read,
        cast(columns.missing_values as bigint) as missing_values,
        cast(columns.distinct_values as bigint) as distinct_values,
        cast(columns.rows_read - columns.missing_values - columns.distinct_values as bigint) as repeated_values,
        columns.min_value,
        columns.max_value,
        case
            when columns.rows_read > columns.missing_values
                then cast(columns.parsed_values as double) / (columns.rows_read - columns.missing_values)
        end as parsed_share,
        cast(repeats.duplicate_rows as bigint) as duplicate_rows
    from (
        select unnest([
            {%- for column in contract.columns %}
            {
                'column_name': '{{ column.name }}',
                'place': {{ loop.index }},
                'kind': '{{ column.kind }}',
                'rows_read': rows_read,
                'missing_values': rows_read - present_{{ loop.index }},
                'distinct_values': distinct_{{ loop.index }},
                'min_value': cast(min_{{ loop.index }} as varchar),
                'max_value': cast(max_{{ loop.index }} as varchar),
                'parsed_values': parsed_{{ loop.index }}
            }{% if not loop.last %},{% endif %}
            {%- endfor %}
        ], recursive := true)
        from (
            select
                count(*) as rows_read
                {%- for column in contract.columns %},
                count(text_{{ loop.index }}) as present_{{ loop.index }},
                count(
                    distinct case when text_{{ loop.index }} is not null then {{ row_hash(['text_' ~ loop.index]) }} end
                ) as distinct_{{ loop.index }},
                count(typed_{{ loop.index }}) as parsed_{{ loop.index }},
                min(typed_{{ loop.index }}) as min_{{ loop.index }},
                max(typed_{{ loop.index }}) as max_{{ loop.index }}
                {%- endfor %}
            from (
                select
                    {%- for column in contract.columns %}
                    {%- set text = '"' ~ column.name ~ '"' %}
                    {{ clean_text(text) }} as text_{{ loop.index }},
                    {% if column.kind == 'decimal' -%}
                    {{ to_decimal(text, 38, 9, contract.decimal) }}
                    {%- elif column.kind == 'local_time' -%}
                    {{ to_local_time(text, contract.time_format, contract.time_zone) }}
                    {%- elif column.kind == 'instant' -%}
                    {{ to_iso_instant(text) }}
                    {%- elif column.kind == 'date' -%}
                    {{ to_date(text) }}
                    {%- else -%}
                    {{ clean_text(text) }}
                    {%- endif %} as typed_{{ loop.index }}
                    {%- if not loop.last %},{% endif %}
                    {%- endfor %}
                from {{ feed(name) }}
                where _line_fault is null
            )
        )
    ) as columns
    cross join (
        select count(case when row_status = 'duplicate' then 1 end) as duplicate_rows
        from {{ ref('base_' ~ name) }}
    ) as repeats
{%- endmacro %}
