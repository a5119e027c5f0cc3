with

final as (

    select
        -- keys
        vehicle_id,

        -- foreign keys
        client_id,

        -- attributes
        supplier,
        vehicle_type,
        battery_chemistry,
        region,
        first_registered_on,

        -- measures
        battery_kwh
    from {{ in_warehouse('base_telematics__vehicles') }}
    where row_status = 'accepted'

)

select * from final
