{% set limit_kwh = var('battery_tolerance') * var('max_battery_kwh') %}

with

records as (

    select
        {{ surrogate_key(["'telematics'", 'vehicle_id']) }} as vehicle_key,
        record_kind,
        started_at,
        case when record_kind = 'drive' or energy_kwh <= {{ limit_kwh }} then energy_kwh end as delivered_kwh
    from {{ ref('int_telematics__records') }}

),

facts as (

    select
        vehicle_key,
        'drive' as record_kind,
        started_at,
        energy_kwh
    from {{ ref('fct_drives') }}

    union all

    select
        vehicle_key,
        'charge' as record_kind,
        plugged_in_at as started_at,
        energy_kwh
    from {{ ref('fct_charging_sessions') }}
    where source_system = 'telematics'

)

select
    records.*,
    facts.*
from records
full outer join facts
    on
        records.vehicle_key = facts.vehicle_key
        and records.record_kind = facts.record_kind
        and records.started_at = facts.started_at
where
    records.vehicle_key is null
    or facts.vehicle_key is null
    -- what wasn't delivered may be told by SOC
    or records.delivered_kwh <> facts.energy_kwh
    or (records.delivered_kwh is not null and facts.energy_kwh is null)
