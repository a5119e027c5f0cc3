with

final as (

    select
        -- keys
        experiment_id,
        user_id,
        variant,

        -- attributes
        assigned_at,
        coalesce(segment, 'unknown') as segment,

        -- measures
        pre_sessions,
        pre_low_price_sessions,
        pre_peak_sessions,
        pre_energy_kwh,
        pre_low_price_energy_kwh,
        pre_cost_eur,
        pre_co2_g
    from {{ in_warehouse('base_experiment__users') }}
    where row_status = 'accepted'

)

select * from final
