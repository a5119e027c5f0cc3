with

ports as (

    select * from {{ ref('stg_network__ports') }}

),

stations as (

    select * from {{ ref('dim_station') }}

),

network as (

    select
        *,
        {{ surrogate_key(["'network'", 'station_id', 'evse_id']) }} as port_key,
        {{ surrogate_key(["'network'", 'station_id']) }} as listed_station_key
    from ports

),

final as (

    select
        -- keys
        network.port_key,
        'network' as source_system,

        -- foreign keys
        coalesce(stations.station_key, {{ unknown_key() }}) as station_key,

        -- attributes
        network.station_id,
        network.evse_id,
        coalesce(stations.site_id, network.station_id) as site_id,
        coalesce(network.port_timezone, stations.site_timezone, '{{ var("network_timezone") }}') as site_timezone,
        network.connectors,
        network.commissioned_on,
        network.retired_on,

        -- measures
        network.rated_power_kw
    from network
    left join stations
        on network.listed_station_key = stations.station_key

    union all

    -- a residential charge point has one port, so both have the same key
    select
        station_key as port_key,
        source_system,
        station_key,
        station_id,
        1 as evse_id,
        site_id,
        site_timezone,
        cast(null as varchar) as connectors,
        cast(null as date) as commissioned_on,
        cast(null as date) as retired_on,
        cast(null as decimal(18, 6)) as rated_power_kw
    from stations
    where source_system = 'residential'

    union all

    select
        {{ unknown_key() }} as port_key,
        'unknown' as source_system,
        {{ unknown_key() }} as station_key,
        'unknown' as station_id,
        cast(null as integer) as evse_id,
        'unknown' as site_id,
        cast(null as varchar) as site_timezone,
        cast(null as varchar) as connectors,
        cast(null as date) as commissioned_on,
        cast(null as date) as retired_on,
        cast(null as decimal(18, 6)) as rated_power_kw

)

select * from final
