with

final as (

    select
        -- keys
        damage_kind,
        vehicle_id,
        reference
    from {{ in_warehouse('base_telematics__injected_damage') }}
    where row_status = 'accepted'

)

select * from final
