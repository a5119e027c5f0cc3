with

final as (

    select
        -- keys
        vehicle_id,
        started_at,

        -- attributes
        supplier,
        ended_at,
        place,

        -- measures
        soc_start_pct,
        soc_end_pct,
        max_power_kw,
        energy_kwh,
        odometer_km,

        -- flags
        is_ambiguous_time
    from {{ in_warehouse('base_telematics__charges') }}
    where row_status = 'accepted'

)

select * from final
