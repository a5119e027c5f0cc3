with

final as (

    select
        -- keys
        run_id,
        user_id,
        event,
        occurred_at,

        -- attributes
        received_at,

        -- measures
        soc_pct,
        import_register_kwh,
        export_register_kwh
    from {{ in_warehouse('base_simulator__plug_events') }}
    where row_status = 'accepted'

)

select * from final
