with

final as (

    select
        -- keys
        charger_id,
        message_id,
        received_at,

        -- attributes
        action,
        stamped_at,
        evse_id,
        transaction_id,
        id_token,
        remote_start_id,
        status,
        error_code,
        token_status,
        event_type,
        trigger_reason,
        charging_state,
        stop_reason,
        seq_no,

        -- measures
        meter_start_wh,
        meter_stop_wh,
        meter_values,

        -- flags
        is_from_charger,
        is_offline
    from {{ in_warehouse('base_network__charger_messages') }}
    where row_status = 'accepted'

)

select * from final
