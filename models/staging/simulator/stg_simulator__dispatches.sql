with

final as (

    select
        -- keys
        run_id,
        dispatch_id,
        user_id,
        event,

        -- foreign keys
        counterfactual_run_id,

        -- attributes
        occurred_at,
        window_starts_at,
        window_ends_at,
        mode,

        -- measures
        energy_kwh
    from {{ in_warehouse('base_simulator__dispatches') }}
    where row_status = 'accepted'

)

select * from final
