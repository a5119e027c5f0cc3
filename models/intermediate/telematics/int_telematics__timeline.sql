{{ config(materialized='view') }}

with

records as (

    select * from {{ in_warehouse('int_telematics__records') }}

),

final as (

    select
        -- keys
        vehicle_id,
        2 * record_number - 1 as segment_number,

        -- attributes
        record_kind as segment_kind,
        started_at,
        ended_at,

        -- measures
        soc_start_pct,
        soc_end_pct,
        odometer_start_km,
        odometer_end_km
    from records

    union all

    select
        vehicle_id,
        2 * record_number - 2 as segment_number,
        gap_kind as segment_kind,
        gap_started_at as started_at,
        started_at as ended_at,
        gap_soc_start_pct as soc_start_pct,
        soc_start_pct as soc_end_pct,
        gap_odometer_start_km as odometer_start_km,
        odometer_start_km as odometer_end_km
    from records
    where gap_kind is not null

)

select * from final
