with

final as (

    select
        -- keys
        station_id,
        evse_id,

        -- attributes
        connectors,
        commissioned_on,
        retired_on,
        port_timezone,

        -- measures
        rated_power_kw
    from {{ in_warehouse('base_network__ports') }}
    where row_status = 'accepted'

)

select * from final
