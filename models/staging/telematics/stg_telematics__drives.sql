with

final as (

    select
        -- keys
        vehicle_id,
        started_at,

        -- attributes
        supplier,
        ended_at,

        -- measures
        soc_start_pct,
        soc_end_pct,
        odometer_start_km,
        odometer_end_km,
        energy_kwh,

        -- flags
        is_ambiguous_time
    from {{ in_warehouse('base_telematics__drives') }}
    where row_status = 'accepted'

)

select * from final
