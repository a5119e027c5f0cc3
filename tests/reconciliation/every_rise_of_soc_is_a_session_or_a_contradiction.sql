with

gaps as (

    select
        vehicle_id,
        count(*) as sessions,
        sum(soc_end_pct - soc_start_pct) as soc_rise_pct
    from {{ ref('int_telematics__timeline') }}
    where
        segment_kind not in ('drive', 'charge', 'contradiction')
        and soc_end_pct - soc_start_pct > {{ var('telematics_soc_tolerance_pct') }}
    group by vehicle_id

),

inferred as (

    select
        vehicle_id,
        count(*) as sessions,
        sum(soc_end_pct - soc_start_pct) as soc_rise_pct
    from {{ ref('int_telematics__charging_sessions') }}
    where completeness = 'inferred'
    group by vehicle_id

)

select
    gaps.*,
    inferred.*
from gaps
full outer join inferred
    on gaps.vehicle_id = inferred.vehicle_id
where
    gaps.sessions is distinct from inferred.sessions
    or gaps.soc_rise_pct is distinct from inferred.soc_rise_pct
