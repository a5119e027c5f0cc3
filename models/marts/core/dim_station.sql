with

reports as (

    select * from {{ ref('stg_residential__charging_reports') }}
    where
        garage_id is not null
        and coalesce(shared_id, user_id) is not null

),

stations as (

    select
        {{ residential_station_key() }} as station_key,
        garage_id,
        coalesce(shared_id, user_id) as charge_point_id,
        shared_id is not null as is_shared,
        count(distinct user_id) as users,
        min(plugged_in_local_at) as first_plug_in_local_at
    from reports
    group by station_key, garage_id, charge_point_id, is_shared

),

network_stations as (

    select * from {{ ref('stg_network__stations') }}

),

network_sessions as (

    select
        station_key,
        count(distinct case when user_key <> {{ unknown_key() }} then user_key end) as users,
        min(plugged_in_local_at) as first_plug_in_local_at
    from {{ ref('int_charging_sessions__network') }}
    group by station_key

),

network as (

    select
        *,
        {{ surrogate_key(["'network'", 'station_id']) }} as station_key
    from network_stations

),

final as (

    select
        -- keys
        station_key,
        'residential' as source_system,
        garage_id || '/' || charge_point_id as station_id,

        -- attributes
        garage_id as site_id,
        charge_point_id,
        cast(null as varchar) as station_name,
        cast(null as varchar) as protocol,
        is_shared,
        '{{ var("residential_timezone") }}' as site_timezone,
        cast(users as integer) as users,
        first_plug_in_local_at
    from stations

    union all

    select
        network.station_key,
        'network' as source_system,
        network.station_id,
        coalesce(network.site_id, network.station_id) as site_id,
        network.station_id as charge_point_id,
        network.station_name,
        network.protocol,
        true as is_shared,
        coalesce(network.site_timezone, '{{ var("network_timezone") }}') as site_timezone,
        cast(coalesce(network_sessions.users, 0) as integer) as users,
        network_sessions.first_plug_in_local_at
    from network
    left join network_sessions
        on network.station_key = network_sessions.station_key

    union all

    select
        {{ unknown_key() }} as station_key,
        'unknown' as source_system,
        'unknown' as station_id,
        'unknown' as site_id,
        'unknown' as charge_point_id,
        cast(null as varchar) as station_name,
        cast(null as varchar) as protocol,
        cast(null as boolean) as is_shared,
        cast(null as varchar) as site_timezone,
        0 as users,
        cast(null as timestamp) as first_plug_in_local_at

)

select * from final
