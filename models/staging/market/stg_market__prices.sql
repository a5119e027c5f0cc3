with

final as (

    select
        -- keys
        price_zone,
        starts_at,

        -- measures
        minutes,
        price_eur_per_mwh,
        gco2_per_kwh
    from {{ in_warehouse('base_market__prices') }}
    where row_status = 'accepted'

)

select * from final
