with

listed as (

    select count(*) as listed_sessions
    from {{ ref('stg_network__charging_sessions') }}

),

rebuilt as (

    select count(*) as transactions
    from {{ ref('int_network__transactions') }}

),

matched as (

    select count(*) as matches
    from {{ ref('int_network__session_matches') }}

),

facts as (

    select count(*) as fact_sessions
    from {{ ref('fct_charging_sessions') }}
    where source_system = 'network'

)

select *
from listed
cross join rebuilt
cross join matched
cross join facts
where listed_sessions + transactions - matches <> fact_sessions
