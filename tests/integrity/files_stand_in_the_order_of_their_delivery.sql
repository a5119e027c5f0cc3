with

{% for name in feed_names() -%}
{{ name }} as (

    select
        '{{ name }}' as feed,
        file_number,
        min(rowid) as first_row_id,
        max(rowid) as last_row_id
    from {{ ref('base_' ~ name) }}
    where line_number is null
    group by file_number

),

{% endfor -%}
files as (

    {% for name in feed_names() -%}
    select * from {{ name }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

neighbours as (

    select
        *,
        lead(first_row_id) over (partition by feed order by file_number) as first_row_id_of_next
    from files

)

select *
from neighbours
where last_row_id > first_row_id_of_next
