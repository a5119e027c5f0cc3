with

neighbours as (

    select
        vehicle_id,
        segment_number,
        segment_kind,
        started_at,
        soc_start_pct,
        odometer_start_km,
        lag(segment_number) over timeline as last_segment_number,
        lag(ended_at) over timeline as last_ended_at,
        lag(soc_end_pct) over timeline as last_soc_end_pct,
        lag(odometer_end_km) over timeline as last_odometer_end_km
    from {{ ref('int_telematics__timeline') }}
    window timeline as (partition by vehicle_id order by segment_number)

)

select *
from neighbours
where
    segment_number <> coalesce(last_segment_number, 0) + 1
    or (
        last_segment_number is not null
        and (
            started_at is distinct from last_ended_at
            or soc_start_pct is distinct from last_soc_end_pct
            or odometer_start_km is distinct from last_odometer_end_km
        )
    )
