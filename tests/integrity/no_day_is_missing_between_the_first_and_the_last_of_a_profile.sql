with

neighbours as (

    select
        load_profile,
        date_key,
        lead(date_key) over (partition by load_profile order by date_key) as next_date_key
    from {{ ref('daily_load') }}

)

select *
from neighbours
where next_date_key <> date_key + interval 1 day
