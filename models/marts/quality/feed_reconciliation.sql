with

{% for name in feed_names() -%}
{{ name }} as (

    select
        '{{ name }}' as feed,
        (select count(*) from ({{ feed_file_names(name) }})) as files,
        {{ feed_rows_read(name) }} as rows_read,
        (select count(*) from {{ ref('stg_' ~ name) }}) as accepted_rows,
        count(case when row_status = 'duplicate' then 1 end) as duplicate_rows,
        count(case when row_status = 'superseded' then 1 end) as superseded_rows,
        count(case when row_status = 'rejected' then 1 end) as rejected_rows,
        {{ feed_extra_columns(name) }} as extra_columns
    from {{ ref('base_' ~ name) }}

),

{% endfor -%}
feeds as (

    {% for name in feed_names() -%}
    select * from {{ name }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select
        feed,
        cast(files as integer) as files,
        cast(rows_read as bigint) as rows_read,
        cast(accepted_rows as bigint) as accepted_rows,
        cast(duplicate_rows as bigint) as duplicate_rows,
        cast(superseded_rows as bigint) as superseded_rows,
        cast(rejected_rows as bigint) as rejected_rows,
        cast(rows_read - accepted_rows - duplicate_rows - superseded_rows - rejected_rows as bigint) as unaccounted_rows,
        extra_columns
    from feeds

)

select * from final
