with

states as (

    select
        port_key,
        is_up,
        status,
        coalesce(down_causes, '') as down_causes,
        {{ minutes_between('started_at', 'ended_at') }} as minutes
    from {{ ref('fct_port_status') }}

),

expected as (

    select
        port_key,
        sum(case when is_up then minutes else 0 end) as up_minutes,
        sum(case when not is_up then minutes else 0 end) as down_minutes,
        sum(case when down_causes like '%faulted%' then minutes else 0 end) as faulted_minutes,
        sum(case when down_causes like '%offline%' then minutes else 0 end) as offline_minutes,
        sum(case when down_causes like '%unavailable%' then minutes else 0 end) as unavailable_minutes,
        sum(case when is_up and status = 'unknown' then minutes else 0 end) as unknown_minutes
    from states
    group by port_key

),

found as (

    select
        port_key,
        sum(up_minutes) as up_minutes,
        sum(down_minutes) as down_minutes,
        sum(faulted_minutes) as faulted_minutes,
        sum(offline_minutes) as offline_minutes,
        sum(unavailable_minutes) as unavailable_minutes,
        sum(unknown_minutes) as unknown_minutes
    from {{ ref('port_uptime_monthly') }}
    group by port_key

)

select coalesce(expected.port_key, found.port_key) as port_key
from expected
full outer join found
    on expected.port_key = found.port_key
where
    expected.port_key is null
    or found.port_key is null
    -- a month's minutes are rounded to six decimals
    {%- for name in ['up', 'down', 'faulted', 'offline', 'unavailable', 'unknown'] %}
    or abs(expected.{{ name }}_minutes - found.{{ name }}_minutes) > 0.001
    {%- endfor %}
