with

exclusions as (

    select * from {{ ref('stg_network__outage_exclusions') }}

),

outages as (

    select * from {{ ref('int_network__outages') }}

),

windows as (

    select * from {{ ref('int_network__port_windows') }}

),

-- An exclusion that names no port is one of every port of its station.
excluded as (

    select
        windows.port_key,
        exclusions.excluded_from as started_at,
        exclusions.excluded_until as ended_at
    from exclusions
    inner join windows
        on
            exclusions.station_id = windows.charger_id
            and windows.evse_id = coalesce(exclusions.evse_id, windows.evse_id)

),

excluded_once as (

    select * from {{ merged_spans('excluded', ['port_key']) }}

),

final as (

    select
        -- keys
        outages.port_key,
        greatest(outages.started_at, excluded_once.started_at) as started_at,

        -- attributes
        outages.charger_id,
        outages.evse_id,
        least(outages.ended_at, excluded_once.ended_at) as ended_at
    from outages
    inner join excluded_once
        on
            outages.port_key = excluded_once.port_key
            and outages.started_at < excluded_once.ended_at
            and outages.ended_at > excluded_once.started_at

)

select * from final
