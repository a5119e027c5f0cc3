with

final as (

    select
        -- keys
        session_id,
        garage_id,
        user_id,
        shared_id,

        -- attributes
        user_kind,

        -- time
        plugged_in_local_at,
        plugged_out_local_at,
        delivered_plugged_in_at,
        delivered_plugged_out_at,
        plugged_in_fold_minutes,
        plugged_out_fold_minutes,

        -- measures
        energy_kwh,
        reported_hours
    from {{ in_warehouse('base_residential__charging_reports') }}
    where row_status = 'accepted'

)

select * from final
