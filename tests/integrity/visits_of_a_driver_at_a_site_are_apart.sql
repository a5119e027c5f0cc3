with

visits as (

    select
        user_key,
        site_id,
        visit_key,
        min(started_at) as started_at,
        max(greatest(started_at, coalesce(ended_at, started_at))) as lasted_until
    from {{ ref('fct_charge_attempts') }}
    where user_key <> {{ unknown_key() }}
    group by user_key, site_id, visit_key

),

neighbours as (

    select
        *,
        lead(started_at) over (partition by user_key, site_id order by started_at, visit_key) as next_started_at
    from visits

)

select *
from neighbours
where next_started_at < lasted_until + interval '{{ var("network_visit_gap_minutes") }}' minute
