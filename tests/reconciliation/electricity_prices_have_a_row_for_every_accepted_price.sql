with

accepted as (

    select
        count(*) as row_count,
        count(price_eur_per_mwh) as price_count,
        coalesce(sum(price_eur_per_mwh), 0) as price_sum
    from {{ ref('stg_market__prices') }}

),

facts as (

    select
        count(*) as row_count,
        count(price_eur_per_mwh) as price_count,
        coalesce(sum(price_eur_per_mwh), 0) as price_sum
    from {{ ref('fct_electricity_prices') }}
    where source_system = 'market'

)

select
    accepted.row_count as accepted_rows,
    facts.row_count as fact_rows,
    accepted.price_sum as accepted_price_sum,
    facts.price_sum as fact_price_sum
from accepted
cross join facts
where
    accepted.row_count <> facts.row_count
    or accepted.price_count <> facts.price_count
    or accepted.price_sum <> facts.price_sum
