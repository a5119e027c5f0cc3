with

neighbours as (

    select
        vehicle_id,
        record_number,
        record_kind,
        started_at,
        gap_kind,
        lag(started_at) over timeline as last_started_at,
        lag(next_gap_kind) over timeline as last_next_gap_kind
    from {{ ref('int_telematics__records') }}
    window timeline as (partition by vehicle_id order by record_number)

)

select *
from neighbours
where
    started_at < last_started_at
    or gap_kind is distinct from last_next_gap_kind
