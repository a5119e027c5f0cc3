-- Question: what does charging cost month by month, and what would it save to charge in the cheapest hours of the connection?
-- Who asks: the operator's purchasing, and whoever weighs smart charging against its price.
-- How to read: one row per profile (the power at which the garage charges) and month. `cost_eur` is that of the loads at
-- wholesale prices; the saving is that of the sessions whose energy fits into their connection, as a share of what the same
-- sessions cost when they charge from the plug-in on. `shiftable_share` says how much of the energy that is.
with

load_costs as (

    select * from {{ ref('load_costs') }}

),

final as (

    select
        -- keys
        load_profile,
        month_start_date,

        -- measures
        energy_kwh,
        cost_eur,
        mean_price_eur_per_kwh,
        cast(shiftable_energy_kwh as double) / nullif(cast(session_energy_kwh as double), 0) as shiftable_share,
        saving_eur,
        saving_pct,
        cast(saving_eur as double) / nullif(cast(shiftable_energy_kwh as double), 0) as saving_eur_per_kwh,
        co2_kg,
        saving_co2_kg,
        saving_co2_pct
    from load_costs
    order by load_profile, month_start_date

)

select * from final
