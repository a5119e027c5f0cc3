with

attempts as (

    select * from {{ ref('fct_charge_attempts') }}

),

first_attempts as (

    select * from attempts
    where attempt_number = 1

),

second_attempts as (

    select * from attempts
    where attempt_number = 2

),

-- Most visits are their first attempt: to add up only the others is several times faster.
retried as (

    select
        visit_key,
        max(case when is_last_attempt then outcome end) as outcome,
        max(ended_at) as ended_at,
        count(*) as attempts,
        count(distinct charger_id) as stations,
        count(distinct case when evse_id is not null then charger_id || '/' || evse_id end) as ports,
        sum(energy_kwh) as energy_kwh
    from attempts
    where visit_key in (select second_attempts.visit_key from second_attempts)
    group by visit_key

),

visits as (

    select
        first_attempts.visit_key,
        first_attempts.user_key,
        first_attempts.date_key,
        first_attempts.site_id,
        first_attempts.site_timezone,
        first_attempts.started_at,
        first_attempts.started_local_at,
        greatest(first_attempts.ended_at, retried.ended_at) as last_ended_at,
        coalesce(retried.outcome, first_attempts.outcome) as outcome,
        coalesce(retried.attempts, 1) as attempts,
        coalesce(retried.stations, 1) as stations,
        coalesce(retried.ports, case when first_attempts.evse_id is null then 0 else 1 end) as ports,
        coalesce(retried.energy_kwh, first_attempts.energy_kwh) as energy_kwh,
        first_attempts.outcome = 'succeeded' as is_first_attempt_succeeded
    from first_attempts
    left join retried
        on first_attempts.visit_key = retried.visit_key

),

final as (

    select
        -- keys
        visit_key,

        -- foreign keys
        user_key,
        date_key,

        -- attributes
        site_id,
        site_timezone,
        started_at,
        case when outcome <> 'open' then last_ended_at end as ended_at,
        started_local_at,
        outcome,
        case
            when outcome <> 'succeeded' then outcome
            when is_first_attempt_succeeded then 'first_attempt'
            else 'after_retries'
        end as visit_result,

        -- measures
        cast(attempts as integer) as attempts,
        cast(stations as integer) as stations,
        cast(ports as integer) as ports,
        cast(energy_kwh as decimal(18, 6)) as energy_kwh,

        -- flags
        is_first_attempt_succeeded
    from visits

)

select * from final
