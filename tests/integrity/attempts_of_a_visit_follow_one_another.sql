with

attempts as (

    select
        visit_key,
        attempt_number,
        user_key,
        site_id,
        started_at,
        is_last_attempt,
        count(*) over (partition by visit_key) as attempts,
        lag(started_at) over (partition by visit_key order by attempt_number) as started_before,
        max(greatest(started_at, coalesce(ended_at, started_at))) over (
            partition by visit_key
            order by attempt_number
            rows between unbounded preceding and 1 preceding
        ) as lasted_until,
        lag(user_key) over (partition by visit_key order by attempt_number) as user_before,
        lag(site_id) over (partition by visit_key order by attempt_number) as site_before
    from {{ ref('fct_charge_attempts') }}

)

select *
from attempts
where
    started_at < started_before
    or user_key <> user_before
    or site_id <> site_before
    or started_at >= lasted_until + case
        when user_key = {{ unknown_key() }} then interval '{{ var("network_unknown_gap_minutes") }}' minute
        else interval '{{ var("network_visit_gap_minutes") }}' minute
    end
    or attempt_number > attempts
    or is_last_attempt <> (attempt_number = attempts)
