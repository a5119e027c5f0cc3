with

files as (

    {{ of_every_feed(file_spans) }}

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
