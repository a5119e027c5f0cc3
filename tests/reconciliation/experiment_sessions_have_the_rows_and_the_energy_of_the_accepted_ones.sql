with

accepted as (

    select
        count(*) as session_count,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('stg_experiment__sessions') }}

),

facts as (

    select
        count(*) as session_count,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('fct_charging_sessions') }}
    where source_system = 'experiment'

)

select
    accepted.session_count as accepted_sessions,
    facts.session_count as fact_sessions,
    accepted.energy_kwh as accepted_kwh,
    facts.energy_kwh as fact_kwh
from accepted
cross join facts
where
    accepted.session_count <> facts.session_count
    or accepted.energy_kwh <> facts.energy_kwh
