with

final as (

    select
        -- keys
        station_id,

        -- attributes
        site_id,
        station_name,
        site_timezone,
        protocol,

        -- measures
        heartbeat_seconds
    from {{ in_warehouse('base_network__stations') }}
    where row_status = 'accepted'

)

select * from final
