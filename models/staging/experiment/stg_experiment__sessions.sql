with

final as (

    select
        -- keys
        session_id,
        user_id,

        -- time
        plugged_in_at,
        charging_started_at,
        charging_ended_at,
        plugged_out_at,

        -- measures
        energy_kwh,
        cost_eur,

        -- flags
        in_low_price_window
    from {{ in_warehouse('base_experiment__sessions') }}
    where row_status = 'accepted'

)

select * from final
