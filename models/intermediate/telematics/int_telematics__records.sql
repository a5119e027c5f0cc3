with

vehicles as (

    select * from {{ ref('stg_telematics__vehicles') }}

),

logs as (

    select
        vehicle_id,
        true as is_drive,
        started_at,
        ended_at,
        soc_start_pct,
        soc_end_pct,
        odometer_start_km,
        odometer_end_km,
        energy_kwh,
        cast(null as decimal(18, 6)) as max_power_kw,
        cast(null as decimal(18, 6)) as charging_minutes,
        cast(null as varchar) as place,
        supplier,
        1 as fragments,
        false as is_end_estimated,
        false as has_unmetered_fragment,
        is_ambiguous_time
    from {{ ref('stg_telematics__drives') }}

    union all

    select
        vehicle_id,
        false as is_drive,
        started_at,
        ended_at,
        soc_start_pct,
        soc_end_pct,
        odometer_km as odometer_start_km,
        odometer_km as odometer_end_km,
        energy_kwh,
        max_power_kw,
        charging_minutes,
        place,
        supplier,
        fragments,
        is_end_estimated,
        has_unmetered_fragment,
        is_ambiguous_time
    from {{ ref('int_telematics__merged_charges') }}

),

neighbours as (

    select
        logs.*,
        vehicles.battery_kwh,
        row_number() over timeline as record_number,
        lag(logs.ended_at) over timeline as gap_started_at,
        lag(logs.soc_end_pct) over timeline as gap_soc_start_pct,
        lag(logs.odometer_end_km) over timeline as gap_odometer_start_km,
        lead(logs.started_at) over timeline as next_started_at,
        lead(logs.soc_start_pct) over timeline as next_soc_start_pct,
        lead(logs.odometer_start_km) over timeline as next_odometer_start_km,
        max(logs.ended_at) over (
            timeline
            rows between unbounded preceding and 1 preceding
        ) as lasted_until_before,
        min(case when logs.is_drive then logs.started_at end) over vehicle as first_drive_at,
        max(case when logs.is_drive then logs.started_at end) over vehicle as last_drive_at
    from logs
    left join vehicles
        on logs.vehicle_id = vehicles.vehicle_id
    window
        timeline as (partition by logs.vehicle_id order by logs.started_at, logs.is_drive),
        vehicle as (partition by logs.vehicle_id)

),

final as (

    select
        -- keys
        vehicle_id,
        record_number,

        -- attributes
        case when is_drive then 'drive' else 'charge' end as record_kind,
        supplier,
        battery_kwh,
        started_at,
        ended_at,
        place,
        {{ gap_kind(
            'gap_started_at', 'started_at', 'lasted_until_before',
            '(soc_start_pct - gap_soc_start_pct)', '(odometer_start_km - gap_odometer_start_km)',
        ) }} as gap_kind,
        gap_started_at,
        {{ gap_kind(
            'ended_at', 'next_started_at', 'greatest(lasted_until_before, ended_at)',
            '(next_soc_start_pct - soc_end_pct)', '(next_odometer_start_km - odometer_end_km)',
        ) }} as next_gap_kind,

        -- measures
        soc_start_pct,
        soc_end_pct,
        odometer_start_km,
        odometer_end_km,
        energy_kwh,
        max_power_kw,
        charging_minutes,
        fragments,
        gap_soc_start_pct,
        gap_odometer_start_km,

        -- flags
        is_end_estimated,
        has_unmetered_fragment,
        is_ambiguous_time,
        coalesce(lasted_until_before > started_at or next_started_at < ended_at, false) as has_overlap,
        coalesce(first_drive_at < started_at, false) as has_drive_before,
        -- a drive at the same instant comes after a charge
        coalesce(last_drive_at > started_at or (not is_drive and last_drive_at = started_at), false)
            as has_drive_after
    from neighbours

)

select * from final
