with

reports as (

    select
        count(*) as report_count,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('stg_residential__charging_reports') }}

),

sessions as (

    select
        count(*) as session_count,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('fct_charging_sessions') }}
    where source_system = 'residential'

)

select
    reports.report_count,
    sessions.session_count,
    reports.energy_kwh as reported_kwh,
    sessions.energy_kwh as session_kwh
from reports
cross join sessions
where
    reports.report_count <> sessions.session_count
    or reports.energy_kwh <> sessions.energy_kwh
