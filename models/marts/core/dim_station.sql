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

final as (

    select
        -- keys
        station_key,
        'residential' as source_system,
        garage_id || '/' || charge_point_id as station_id,

        -- attributes
        garage_id as site_id,
        charge_point_id,
        is_shared,
        '{{ var("residential_timezone") }}' as site_timezone,
        cast(users as integer) as users,
        first_plug_in_local_at
    from stations

    union all

    select
        {{ unknown_key() }} as station_key,
        'unknown' as source_system,
        'unknown' as station_id,
        'unknown' as site_id,
        'unknown' as charge_point_id,
        cast(null as boolean) as is_shared,
        cast(null as varchar) as site_timezone,
        0 as users,
        cast(null as timestamp) as first_plug_in_local_at

)

select * from final
