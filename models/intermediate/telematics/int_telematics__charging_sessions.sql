{% set time_zone = var('telematics_timezone') %}
{% set soc_tolerance_pct = var('telematics_soc_tolerance_pct') %}

with

records as (

    select * from {{ ref('int_telematics__records') }}

),

-- Logged charges, and gaps in which SOC rose.
sessions as (

    select
        vehicle_id,
        started_at,
        ended_at,
        false as is_inferred,
        -- energy of some fragments is too little: SOC tells better, where it does
        case
            when not (has_unmetered_fragment and coalesce(soc_end_pct - soc_start_pct >= 0 and battery_kwh > 0, false))
                then energy_kwh
        end as delivered_kwh,
        has_unmetered_fragment,
        battery_kwh,
        max_power_kw,
        case when not is_end_estimated then charging_minutes end as charging_minutes,
        soc_start_pct,
        soc_end_pct,
        place,
        fragments,
        supplier,
        is_end_estimated,
        is_ambiguous_time,
        has_overlap,
        false as has_odometer_change,
        has_drive_before and coalesce(gap_kind <> 'inferred_drive', true) as has_drive_before,
        has_drive_after and coalesce(next_gap_kind <> 'inferred_drive', true) as has_drive_after,
        coalesce(gap_kind in ('contradiction', 'inferred_session'), false)
        or coalesce(next_gap_kind in ('contradiction', 'inferred_session'), false) as has_contradiction
    from records
    where record_kind = 'charge'

    union all

    select
        vehicle_id,
        gap_started_at as started_at,
        started_at as ended_at,
        true as is_inferred,
        cast(null as decimal(18, 6)) as delivered_kwh,
        false as has_unmetered_fragment,
        battery_kwh,
        cast(null as decimal(18, 6)) as max_power_kw,
        cast(null as decimal(18, 6)) as charging_minutes,
        gap_soc_start_pct as soc_start_pct,
        soc_start_pct as soc_end_pct,
        cast(null as varchar) as place,
        cast(null as integer) as fragments,
        supplier,
        false as is_end_estimated,
        is_ambiguous_time,
        false as has_overlap,
        coalesce(
            odometer_start_km - gap_odometer_start_km > {{ var('telematics_odometer_tolerance_km') }},
            false
        ) as has_odometer_change,
        cast(null as boolean) as has_drive_before,
        cast(null as boolean) as has_drive_after,
        cast(null as boolean) as has_contradiction
    from records
    where gap_kind = 'inferred_session'

),

-- What SOC says goes through DOUBLE: products of decimals could overflow.
measured as (

    select
        *,
        cast(cast(soc_end_pct - soc_start_pct as double) / 100 * battery_kwh as decimal(18, 6)) as soc_energy_kwh
    from sessions

),

judged as (

    select
        *,
        case
            when delivered_kwh is not null then 'delivered'
            when soc_energy_kwh >= 0 then 'soc'
        end as energy_source,
        -- relative to the energy, and no finer than SOC is known
        coalesce(
            abs(delivered_kwh - soc_energy_kwh)
            > {{ var('telematics_energy_tolerance') }} * abs(soc_energy_kwh) + {{ soc_tolerance_pct }} / 100.0 * battery_kwh,
            false
        ) as has_energy_disagreement
    from measured

),

weighed as (

    select
        *,
        case
            when is_inferred then null
            when soc_start_pct is null or soc_end_pct is null then 'no_soc'
            when delivered_kwh is null or has_unmetered_fragment then 'no_energy'
            when is_end_estimated then 'no_end'
            when not has_drive_before then 'no_drive_before'
            when not has_drive_after then 'no_drive_after'
            when has_contradiction or has_overlap then 'contradicts_timeline'
            when has_energy_disagreement then 'energy_disagrees'
        end as incomplete_reason,
        case energy_source
            when 'delivered' then delivered_kwh
            when 'soc' then soc_energy_kwh
        end as energy_kwh
    from judged

),

final as (

    select
        -- keys
        vehicle_id,
        vehicle_id || '/' || replace(replace({{ iso_text('started_at') }}, '-', ''), ':', '') as session_id,

        -- attributes
        case
            when is_inferred then 'inferred'
            when incomplete_reason is not null then 'incomplete'
            else 'complete'
        end as completeness,
        incomplete_reason,
        started_at,
        ended_at,
        {{ utc_to_clock('started_at', time_zone) }} as started_local_at,
        place,
        supplier,
        energy_source,

        -- measures
        energy_kwh,
        cast(case when charging_minutes > 0 then cast(energy_kwh as double) * 60 / charging_minutes end as decimal(18, 6))
            as mean_power_kw,
        max_power_kw,
        cast(
            case when not is_inferred and not is_end_estimated then {{ minutes_between('started_at', 'ended_at') }} end
            as decimal(18, 6)
        ) as duration_minutes,
        charging_minutes,
        soc_start_pct,
        soc_end_pct,
        fragments,

        -- flags
        is_end_estimated,
        is_ambiguous_time,
        has_overlap,
        has_odometer_change,
        has_energy_disagreement
    from weighed

)

select * from final
