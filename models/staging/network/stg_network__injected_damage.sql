with

final as (

    select
        -- keys
        damage_kind,
        charger_id,
        reference
    from {{ in_warehouse('base_network__injected_damage') }}
    where row_status = 'accepted'

)

select * from final
