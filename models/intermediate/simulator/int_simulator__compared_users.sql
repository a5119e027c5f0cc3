{% set tolerance_pct = var('simulator_target_tolerance_pct') %}

with

comparisons as (

    select * from {{ ref('int_simulator__comparisons') }}

),

same_drivers as (

    select * from {{ ref('int_simulator__same_drivers') }}

),

users as (

    select
        run_id,
        user_id,
        target_soc_pct
    from {{ ref('stg_simulator__users') }}

),

half_hours as (

    select
        run_id,
        user_id,
        half_hour_starts_at,
        import_kwh,
        export_kwh,
        import_kwh - export_kwh as net_import_kwh,
        price_eur_per_mwh,
        gco2_per_kwh
    from {{ ref('int_simulator__car_half_hours') }}

),

stays as (

    select
        run_id,
        user_id,
        plugged_out_at,
        soc_end_pct
    from {{ ref('int_simulator__stays') }}
    where
        plugged_out_at is not null
        and soc_end_pct is not null

),

-- Either side of each comparison.
sides as (

    select
        run_id,
        run_id as side_run_id,
        false as is_reference,
        compared_from_at,
        compared_until_at
    from comparisons

    union all

    select
        run_id,
        reference_run_id as side_run_id,
        true as is_reference,
        compared_from_at,
        compared_until_at
    from comparisons

),

energies as (

    select
        sides.run_id,
        sides.side_run_id,
        half_hours.user_id,
        sides.is_reference,
        count(*) as half_hours,
        count(case when half_hours.net_import_kwh is null then 1 end) as unknown_half_hours,
        sum(half_hours.import_kwh) as energy_kwh,
        sum(half_hours.export_kwh) as exported_kwh,
        -- what has no price is not free, and what isn't known is not nothing
        case
            when
                count(half_hours.net_import_kwh) > 0
                and count(case when half_hours.net_import_kwh <> 0 and half_hours.price_eur_per_mwh is null then 1 end) = 0
                then coalesce(sum({{ times_price('half_hours.net_import_kwh', 'half_hours.price_eur_per_mwh') }}), 0) * 0.001
        end as cost_eur,
        case
            when
                count(half_hours.net_import_kwh) > 0
                and count(case when half_hours.net_import_kwh <> 0 and half_hours.gco2_per_kwh is null then 1 end) = 0
                then coalesce(sum({{ times_price('half_hours.net_import_kwh', 'half_hours.gco2_per_kwh') }}), 0)
        end as g_co2,
        max(half_hours.net_import_kwh) * 2 as peak_kw
    from sides
    inner join half_hours
        on
            sides.side_run_id = half_hours.run_id
            and sides.compared_from_at <= half_hours.half_hour_starts_at
            and sides.compared_until_at > half_hours.half_hour_starts_at
    group by sides.run_id, sides.side_run_id, half_hours.user_id, sides.is_reference

),

charges as (

    select
        sides.run_id,
        stays.user_id,
        sides.is_reference,
        count(*) as ended_stays,
        count(case when stays.soc_end_pct < users.target_soc_pct - {{ tolerance_pct }} then 1 end) as stays_below_target,
        sum(stays.soc_end_pct) as soc_end_pct_sum
    from sides
    inner join stays
        on
            sides.side_run_id = stays.run_id
            and sides.compared_from_at <= stays.plugged_out_at
            and sides.compared_until_at > stays.plugged_out_at
    inner join users
        on
            stays.run_id = users.run_id
            and stays.user_id = users.user_id
    group by sides.run_id, stays.user_id, sides.is_reference

),

paired_users as (

    select
        comparisons.run_id,
        same_drivers.user_id
    from comparisons
    inner join same_drivers
        on
            comparisons.run_id = same_drivers.run_id
            and comparisons.reference_run_id = same_drivers.other_run_id

),

final as (

    select
        -- keys
        energies.run_id,
        energies.user_id,
        energies.is_reference,

        -- foreign keys
        energies.side_run_id,

        -- measures
        energies.half_hours,
        energies.unknown_half_hours,
        cast(energies.energy_kwh as decimal(18, 6)) as energy_kwh,
        cast(energies.exported_kwh as decimal(18, 6)) as exported_kwh,
        cast(energies.cost_eur as decimal(18, 6)) as cost_eur,
        cast(energies.g_co2 as decimal(18, 6)) as g_co2,
        cast(energies.peak_kw as decimal(18, 6)) as peak_kw,
        coalesce(charges.ended_stays, 0) as ended_stays,
        coalesce(charges.stays_below_target, 0) as stays_below_target,
        cast(coalesce(charges.soc_end_pct_sum, 0) as decimal(18, 4)) as soc_end_pct_sum,

        -- flags
        paired_users.user_id is not null as is_paired
    from energies
    left join charges
        on
            energies.run_id = charges.run_id
            and energies.user_id = charges.user_id
            and energies.is_reference = charges.is_reference
    left join paired_users
        on
            energies.run_id = paired_users.run_id
            and energies.user_id = paired_users.user_id

)

select * from final
