with

windows as (

    select
        run_id,
        min(half_hour_starts_at) as first_at,
        max(half_hour_starts_at) + interval 30 minute as last_at,
        sum(import_kwh + export_kwh) as half_hours_kwh
    from {{ ref('int_simulator__car_half_hours') }}
    group by run_id

),

corrections as (

    select * from {{ ref('int_simulator__stays') }}
    where
        skew_seconds <> 0
        or has_unit_slip

),

telemetry as (

    select
        telemetry.run_id,
        telemetry.starts_at + coalesce(corrections.skew_seconds, 0) * interval 1 second as starts_at,
        telemetry.ends_at + coalesce(corrections.skew_seconds, 0) * interval 1 second as ends_at,
        (telemetry.import_kwh + telemetry.export_kwh)
        * case when corrections.has_unit_slip then 0.001 else 1 end as energy_kwh
    from {{ ref('stg_simulator__telemetry') }} as telemetry
    inner join {{ ref('stg_simulator__users') }} as users
        on
            telemetry.run_id = users.run_id
            and telemetry.user_id = users.user_id
    left join corrections
        on
            telemetry.run_id = corrections.run_id
            and telemetry.user_id = corrections.user_id
            and telemetry.starts_at >= corrections.delivered_plugged_in_at
            and telemetry.starts_at < corrections.ended_at - corrections.skew_seconds * interval 1 second

),

-- What only the registers tell stands in half-hours without an interval.
missing as (

    select
        run_id,
        sum(missing_import_kwh + missing_export_kwh) as missing_kwh
    from {{ ref('int_simulator__stays') }}
    group by run_id

),

-- Intervals across an end of the window count in part.
bounds as (

    select
        windows.run_id,
        windows.half_hours_kwh,
        sum(case
            when telemetry.starts_at >= windows.first_at and telemetry.ends_at <= windows.last_at then telemetry.energy_kwh
            else 0
        end) as lowest_kwh,
        sum(telemetry.energy_kwh) as highest_kwh
    from windows
    inner join telemetry
        on
            windows.run_id = telemetry.run_id
            and windows.first_at < telemetry.ends_at
            and windows.last_at > telemetry.starts_at
    group by windows.run_id, windows.half_hours_kwh

)

select
    bounds.*,
    missing.missing_kwh
from bounds
left join missing
    on bounds.run_id = missing.run_id
-- a part of a gap is rounded
where
    bounds.half_hours_kwh < bounds.lowest_kwh - 0.001
    or bounds.half_hours_kwh > bounds.highest_kwh + coalesce(missing.missing_kwh, 0) + 0.001
