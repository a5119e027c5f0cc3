{% set soc_tolerance_pct = var('telematics_soc_tolerance_pct') %}
{% set odometer_tolerance_km = var('telematics_odometer_tolerance_km') %}

with

records as (

    select
        *,
        {{ month_of(utc_to_clock('started_at', var('telematics_timezone'))) }} as month,
        soc_start_pct - gap_soc_start_pct as gap_soc_rise_pct,
        odometer_start_km - gap_odometer_start_km as gap_odometer_rise_km,
        {{ seconds_between('started_at', 'ended_at') }} / 3600 as hours
    from {{ ref('int_telematics__records') }}

),

counted as (

    select
        vehicle_id,
        month,
        count(*) as records,
        count(case when record_kind = 'drive' then 1 end) as drives,
        count(case when record_kind = 'charge' then 1 end) as charges,
        count(case when gap_soc_rise_pct > {{ soc_tolerance_pct }} then 1 end) as soc_jumps,
        count(case when gap_odometer_rise_km < -{{ odometer_tolerance_km }} then 1 end) as odometer_falls,
        count(case when gap_odometer_rise_km > {{ odometer_tolerance_km }} then 1 end) as odometer_jumps,
        count(case when has_overlap then 1 end) as overlapping_records,
        count(case when odometer_end_km - odometer_start_km > {{ var('telematics_max_speed_kmh') }} * hours then 1 end)
            as excessive_speeds,
        count(case when record_kind = 'drive' and soc_end_pct - soc_start_pct > {{ soc_tolerance_pct }} then 1 end)
            as soc_rises_while_driving,
        count(case when record_kind = 'charge' and soc_end_pct - soc_start_pct < -{{ soc_tolerance_pct }} then 1 end)
            as soc_falls_while_charging
    from records
    group by vehicle_id, month

),

disagreeing as (

    select
        vehicle_id,
        {{ month_of('started_local_at') }} as month,
        count(*) as energy_disagreements
    from {{ ref('int_telematics__charging_sessions') }}
    where has_energy_disagreement
    group by vehicle_id, {{ month_of('started_local_at') }}

),

final as (

    select
        -- keys
        counted.vehicle_id,
        counted.month,

        -- measures
        counted.records,
        counted.drives,
        counted.charges,
        counted.soc_jumps,
        counted.odometer_falls,
        counted.odometer_jumps,
        counted.overlapping_records,
        counted.excessive_speeds,
        counted.soc_rises_while_driving,
        counted.soc_falls_while_charging,
        coalesce(disagreeing.energy_disagreements, 0) as energy_disagreements,

        -- flags
        counted.soc_jumps + counted.odometer_falls + counted.odometer_jumps + counted.overlapping_records
        + counted.excessive_speeds + counted.soc_rises_while_driving + counted.soc_falls_while_charging
        + coalesce(disagreeing.energy_disagreements, 0) = 0 as is_coherent
    from counted
    left join disagreeing
        on
            counted.vehicle_id = disagreeing.vehicle_id
            and counted.month = disagreeing.month

)

select * from final
