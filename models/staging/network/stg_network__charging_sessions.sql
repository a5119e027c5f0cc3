with

final as (

    select
        -- keys
        session_id,
        station_id,

        -- time
        started_at,
        ended_at,

        -- measures
        energy_kwh,

        -- flags
        has_succeeded
    from {{ in_warehouse('base_network__charging_sessions') }}
    where row_status = 'accepted'

)

select * from final
