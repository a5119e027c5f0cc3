with

ports as (

    select * from {{ ref('stg_network__ports') }}

),

stations as (

    select * from {{ ref('stg_network__stations') }}

),

contacts as (

    select * from {{ ref('int_network__contacts') }}

),

observation as (

    select * from {{ ref('int_network__observation') }}

),

-- A station without a protocol that sends nothing is known from session lists only: silence says nothing about it.
monitored as (

    select
        ports.station_id,
        ports.evse_id,
        ports.commissioned_on,
        ports.retired_on,
        case
            when stations.station_id is null then {{ unknown_key() }}
            else {{ surrogate_key(["'network'", 'stations.station_id']) }}
        end as station_key,
        coalesce(stations.site_id, ports.station_id) as site_id,
        coalesce(ports.port_timezone, stations.site_timezone, '{{ var("network_timezone") }}') as site_timezone,
        coalesce(stations.heartbeat_seconds, {{ var('network_heartbeat_seconds') }}) as heartbeat_seconds
    from ports
    left join stations
        on ports.station_id = stations.station_id
    left join contacts
        on ports.station_id = contacts.charger_id
    where
        stations.protocol is not null
        or contacts.charger_id is not null

),

in_service as (

    select
        *,
        {{ day_start_by('commissioned_on', 'site_timezone') }} as commissioned_at,
        {{ day_start_by('retired_on', 'site_timezone') }} as retired_at
    from monitored

),

windows as (

    select
        in_service.*,
        greatest(observation.observed_from, coalesce(in_service.commissioned_at, observation.observed_from)) as monitored_from,
        least(observation.observed_to, coalesce(in_service.retired_at, observation.observed_to)) as monitored_to
    from in_service
    cross join observation

),

final as (

    select
        -- keys
        {{ surrogate_key(["'network'", 'station_id', 'evse_id']) }} as port_key,

        -- foreign keys
        station_key,

        -- attributes
        station_id as charger_id,
        evse_id,
        site_id,
        site_timezone,
        monitored_from,
        monitored_to,

        -- measures
        heartbeat_seconds
    from windows
    where monitored_from < monitored_to

)

select * from final
