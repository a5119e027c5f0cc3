with

final as (

    select
        -- keys
        run_id,
        user_id,
        plugged_in_at,

        -- attributes
        plugged_out_at,
        expected_departure_at,
        charging_started_at,
        charging_ended_at,

        -- measures
        charging_seconds,
        import_kwh,
        export_kwh,
        soc_start_pct,
        soc_end_pct
    from {{ in_warehouse('base_simulator__session_truth') }}
    where row_status = 'accepted'

)

select * from final
