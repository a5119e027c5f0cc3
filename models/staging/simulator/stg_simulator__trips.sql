with

final as (

    select
        -- keys
        run_id,
        user_id,
        departed_at,

        -- attributes
        arrived_at,

        -- measures
        distance_km,
        driving_kwh,
        public_kwh,
        soc_start_pct,
        soc_end_pct
    from {{ in_warehouse('base_simulator__trips') }}
    where row_status = 'accepted'

)

select * from final
