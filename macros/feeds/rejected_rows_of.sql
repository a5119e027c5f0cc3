{#- The rejected rows of a feed with the number that they have in their file: row 1 is the first below the header, blank
    lines are not counted. Rows that could be read stand in the base table in their order, so the number follows from
    their place; lines that could not be read know theirs, and all are counted together. -#}
{% macro rejected_rows_of(name) -%}
    {%- set base = ref('base_' ~ name) -%}
    {%- set before = 'over (partition by file_number order by place rows between unbounded preceding and 1 preceding)' -%}
    select
        '{{ name }}' as feed,
        files.file_name,
        cast(
            coalesce(counted.data_line, counted.place + counted.unreadable_before) - counted.blank_before as bigint
        ) as row_number,
        split_part(counted.rejection_reason, ':', 1) as rejection_reason,
        nullif(split_part(counted.rejection_reason, ':', 2), '') as rejected_column,
        counted.raw_text
    from (
        select
            *,
            count(data_line) {{ before }} as unreadable_before,
            count(case when row_status = 'blank' then 1 end) {{ before }} as blank_before
        from (
            select
                base.file_number,
                base.rowid - first_rows.first_row_id + 1.0 as place,
                cast(null as bigint) as data_line,
                base.row_status,
                base.rejection_reason,
                base.raw_text
            from {{ base }} as base
            inner join ({{ file_spans(name) }}) as first_rows
                on base.file_number = first_rows.file_number
            where
                base.line_number is null
                and base.row_status in ('rejected', 'blank')

            union all

            -- behind as many readable rows as there are lines before it that could be read
            select
                file_number,
                line_number - 1 - row_number() over (partition by file_number order by line_number) + 0.5 as place,
                line_number - 1 as data_line,
                row_status,
                rejection_reason,
                raw_text
            from {{ base }}
            where line_number is not null
        )
    ) as counted
    left join ({{ feed_file_names(name) }}) as files
        on counted.file_number = files.file_number
    where counted.row_status = 'rejected'
{%- endmacro %}
