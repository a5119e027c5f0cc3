with

users as (

    select * from {{ ref('stg_experiment__users') }}

),

-- A user has one row per arm: whoever has two was in both and belongs to neither.
final as (

    select
        -- keys
        experiment_id,
        {{ surrogate_key(["'experiment'", 'user_id']) }} as user_key,

        -- attributes
        user_id,
        case when count(*) = 1 then min(variant) end as variant,
        min(segment) as segment,
        min(assigned_at) as assigned_at,

        -- measures
        min(pre_sessions) as pre_sessions,
        min(pre_low_price_sessions) as pre_low_price_sessions,
        min(pre_peak_sessions) as pre_peak_sessions,
        min(pre_energy_kwh) as pre_energy_kwh,
        min(pre_low_price_energy_kwh) as pre_low_price_energy_kwh,
        min(pre_cost_eur) as pre_cost_eur,
        min(pre_co2_g) as pre_co2_g,

        -- flags
        count(*) > 1 as is_mixed
    from users
    group by experiment_id, user_id

)

select * from final
