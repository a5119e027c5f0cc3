with

neighbours as (

    select
        port_key,
        started_at,
        status,
        is_online,
        coalesce(down_causes, 'none') as down_causes,
        lag(status) over earlier as last_status,
        lag(is_online) over earlier as was_online,
        lag(coalesce(down_causes, 'none')) over earlier as last_down_causes
    from {{ ref('fct_port_status') }}
    window earlier as (
        partition by port_key
        order by started_at
    )

)

select *
from neighbours
where
    status = last_status
    and is_online = was_online
    and down_causes = last_down_causes
