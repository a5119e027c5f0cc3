with

accepted as (

    select
        count(*) as row_count,
        count_if(is_spacer) as spacer_count
    from {{ ref('stg_residential__hourly_loads') }}

),

loads as (

    select count(*) as row_count
    from {{ ref('fct_hourly_loads') }}
    where source_system = 'residential'

)

select
    accepted.row_count as accepted_rows,
    accepted.spacer_count as spacers,
    loads.row_count as fact_rows
from accepted
cross join loads
where accepted.row_count - accepted.spacer_count <> loads.row_count
