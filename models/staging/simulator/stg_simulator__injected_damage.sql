with

final as (

    select
        -- keys
        damage_kind,
        run_id,
        user_id,
        reference
    from {{ in_warehouse('base_simulator__injected_damage') }}
    where row_status = 'accepted'

)

select * from final
