{% set counts = [
    'attempts', 'open_attempts', 'finished_attempts', 'power_delivery_attempts', 'valid_stops', 'completed_power_deliveries',
    'attempts_with_start_time',
] %}

with

kpis as (

    select
        *,
        month_start_date is not null as is_monthly,
        attempt_mode <> 'pooled' as is_by_mode
    from {{ ref('charge_success_kpis') }}

),

-- Every attempt is once in each of these.
partitions as (

    select
        scope,
        is_monthly,
        is_by_mode,
        {%- for count in counts %}
        sum({{ count }}) as {{ count }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from kpis
    group by scope, is_monthly, is_by_mode

),

facts as (

    select
        count(*) as attempts,
        count(case when outcome = 'open' then 1 end) as open_attempts,
        count(case when outcome <> 'open' then 1 end) as finished_attempts,
        count(case when outcome <> 'open' and has_power_delivery then 1 end) as power_delivery_attempts,
        count(case when outcome <> 'open' and has_valid_stop then 1 end) as valid_stops,
        count(case when outcome <> 'open' and has_power_delivery and has_valid_stop then 1 end) as completed_power_deliveries,
        count(case when outcome <> 'open' then charge_start_seconds end) as attempts_with_start_time
    from {{ ref('fct_charge_attempts') }}

)

select
    partitions.*,
    facts.attempts as fact_attempts
from partitions
cross join facts
where
    false
    {%- for count in counts %}
    or partitions.{{ count }} <> facts.{{ count }}
    {%- endfor %}

union all

select
    'missing' as scope,
    null as is_monthly,
    null as is_by_mode,
    {%- for count in counts %}
    null as {{ count }},
    {%- endfor %}
    facts.attempts as fact_attempts
from facts
where
    facts.attempts > 0
    and (select count(*) from partitions) <> 12
