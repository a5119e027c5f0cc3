with

final as (

    select
        -- keys
        session_id,
        user_id,

        -- time
        load_started_local_at,
        load_ended_local_at,
        fold_minutes,
        place_in_fold,

        -- measures
        synthetic_3_6_kwh,
        synthetic_7_2_kwh,
        flex_3_6_kwh,
        flex_7_2_kwh,

        -- flags
        is_spacer
    from {{ in_warehouse('base_residential__hourly_loads') }}
    where row_status = 'accepted'

)

select * from final
