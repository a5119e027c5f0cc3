with

final as (

    select
        -- keys
        run_id,
        user_id,
        starts_at,

        -- attributes
        ends_at,
        state,

        -- measures
        import_kwh,
        export_kwh,
        import_register_kwh,
        export_register_kwh,
        soc_pct
    from {{ in_warehouse('base_simulator__telemetry') }}
    where row_status = 'accepted'

)

select * from final
