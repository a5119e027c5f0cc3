with

final as (

    select
        -- keys
        run_id,
        user_id,

        -- attributes
        archetype,
        coalesce(price_zone, '{{ var('simulator_price_zone') }}') as price_zone,
        coalesce(time_zone, '{{ var('simulator_timezone') }}') as time_zone,

        -- measures
        battery_kwh,
        charger_kw,
        target_soc_pct,
        reserve_soc_pct,
        km_per_kwh
    from {{ in_warehouse('base_simulator__users') }}
    where row_status = 'accepted'

)

select * from final
