with

rebuilt as (

    select
        count(*) as attempts,
        count(distinct attempt_id) as different_attempts,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('int_network__attempts') }}

),

facts as (

    select
        count(*) as attempts,
        count(distinct visit_key) as visits,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('fct_charge_attempts') }}

),

visits as (

    select
        count(*) as visits,
        coalesce(sum(attempts), 0) as attempts,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('fct_visits') }}

)

select
    rebuilt.attempts,
    rebuilt.different_attempts,
    facts.attempts as fact_attempts,
    visits.attempts as visit_attempts,
    facts.visits as fact_visits,
    visits.visits,
    rebuilt.energy_kwh,
    facts.energy_kwh as fact_kwh,
    visits.energy_kwh as visit_kwh
from rebuilt
cross join facts
cross join visits
where
    rebuilt.attempts <> rebuilt.different_attempts
    or rebuilt.attempts <> facts.attempts
    or rebuilt.attempts <> visits.attempts
    or facts.visits <> visits.visits
    or rebuilt.energy_kwh <> facts.energy_kwh
    or rebuilt.energy_kwh <> visits.energy_kwh
