with

final as (

    select
        -- keys
        station_id,
        evse_id,
        excluded_from,
        excluded_until,

        -- attributes
        reason
    from {{ in_warehouse('base_network__outage_exclusions') }}
    where row_status = 'accepted'

)

select * from final
