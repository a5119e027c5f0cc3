with

neighbours as (

    select
        port_key,
        ended_at,
        lead(started_at) over (partition by port_key order by started_at) as next_started_at
    from {{ ref('fct_port_status') }}

)

select *
from neighbours
where next_started_at <> ended_at
