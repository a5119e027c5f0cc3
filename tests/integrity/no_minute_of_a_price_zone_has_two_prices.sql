with

neighbours as (

    select
        price_zone,
        starts_at,
        ends_at,
        lead(starts_at) over (partition by price_zone order by starts_at) as next_starts_at
    from {{ ref('fct_electricity_prices') }}

)

select *
from neighbours
where
    ends_at <= starts_at
    or ends_at > next_starts_at
