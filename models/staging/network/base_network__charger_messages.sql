{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('network__charger_messages') }}",
    "{{ settle_repeated_rows(
        key=['charger_id', 'is_from_charger', 'message_id', 'content_hash'],
        values=[],
        earliest='received_at',
    ) }}",
]) }}

with

source as (

    select
        *,
        case when {{ is_missing_text("coalesce(payload, '')") }} then '{}' else payload end as payload_text
    from {{ feed('network__charger_messages') }}

),

typed as (

    select
        *,
        {{ clean_text('charger_id') }} as typed_charger_id,
        {{ clean_text('message_id') }} as typed_message_id,
        {{ clean_text('action') }} as typed_action,
        {{ to_iso_instant('received_at') }} as typed_received_at,
        case
            when direction = 'from_charger' then true
            when direction = 'to_charger' then false
            when lower(trim(direction)) = 'from_charger' then true
            when lower(trim(direction)) = 'to_charger' then false
        end as is_from_charger,
        {{ parse_message('payload_text') }} as message
    from source

),

named as (

    select
        *,
        is_from_charger and typed_action = 'StatusNotification' as is_status,
        is_from_charger and typed_action = 'StartTransaction' as is_start,
        is_from_charger and typed_action = 'StopTransaction' as is_stop,
        is_from_charger and typed_action = 'TransactionEvent' as is_event,
        is_from_charger and typed_action = 'MeterValues' as is_metering,
        not is_from_charger and typed_action in ('RemoteStartTransaction', 'RequestStartTransaction') as is_remote_start,
        coalesce(message['meterValue'], message['transactionData']) as meter_values,
        {{ message_text(['transactionInfo.transactionId', 'transactionId']) }} as transaction_id,
        {{ message_text(['status', 'connectorStatus']) }} as status
    from typed

),

stamped as (

    select
        *,
        case
            when is_status or is_start or is_stop or is_event then {{ message_text(['timestamp']) }}
            when is_metering then {{ clean_text("meter_values[-1]['timestamp']") }}
        end as stamp,
        case
            when is_status or is_start or is_event or is_metering or is_remote_start
                then {{ message_text(['evse.id', 'evseId', 'connectorId']) }}
        end as evse_id,
        case when is_start then {{ message_text(['meterStart']) }} end as meter_start,
        case when is_stop then {{ message_text(['meterStop']) }} end as meter_stop
    from named

),

measured as (

    select
        *,
        {{ to_iso_instant('stamp') }} as stamped_at,
        {{ to_decimal('evse_id', 18, 6) }} as typed_evse_id,
        {{ to_decimal('meter_start', 18, 3) }} as typed_meter_start,
        {{ to_decimal('meter_stop', 18, 3) }} as typed_meter_stop
    from stamped

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_charger_id is null then 'missing_key:charger_id'
                when typed_message_id is null then 'missing_key:message_id'
                when typed_received_at is null and {{ is_missing('received_at') }} then 'missing_value:received_at'
                when is_from_charger is null and {{ is_missing('direction') }} then 'missing_value:direction'
                when is_from_charger is null then 'unknown_direction:direction'
                when message is null then 'not_json:payload'
            end,
            {{ time_fault('received_at', 'typed_received_at') }},
            {{ time_fault('stamp', 'stamped_at', column='payload') }},
            case
                when
                    is_status and (status is null or evse_id is null)
                    or is_start and (evse_id is null or stamp is null)
                    or is_stop and transaction_id is null
                    or is_event and ({{ message_text(['eventType']) }} is null or transaction_id is null)
                    then 'missing_value:payload'
            end,
            {{ number_fault('evse_id', 'typed_evse_id', column='payload') }},
            {{ number_fault('meter_start', 'typed_meter_start', column='payload') }},
            {{ number_fault('meter_stop', 'typed_meter_stop', column='payload') }},
            case
                when {{ is_no_evse_id('typed_evse_id', lowest=0) }} then 'out_of_range:payload'
                when typed_meter_start < 0 or typed_meter_stop < 0 then 'negative_energy:payload'
            end
        ) as rejection_reason
    from measured

),

final as (

    select
        -- keys
        typed_charger_id as charger_id,
        typed_message_id as message_id,
        typed_received_at as received_at,
        {{ row_hash(['typed_action', 'payload_text', 'coalesce(stamped_at, typed_received_at)']) }} as content_hash,

        -- attributes
        typed_action as action,
        stamped_at,
        try_cast(typed_evse_id as integer) as evse_id,
        transaction_id,
        upper({{ message_text(['idTag', 'idToken.idToken']) }}) as id_token,
        {{ message_text(['transactionInfo.remoteStartId', 'remoteStartId']) }} as remote_start_id,
        status,
        {{ message_text(['errorCode']) }} as error_code,
        {{ message_text(['idTagInfo.status', 'idTokenInfo.status']) }} as token_status,
        {{ message_text(['eventType']) }} as event_type,
        {{ message_text(['triggerReason']) }} as trigger_reason,
        {{ message_text(['transactionInfo.chargingState']) }} as charging_state,
        case
            when is_stop then {{ message_text(['reason']) }}
            when is_event then {{ message_text(['transactionInfo.stoppedReason']) }}
        end as stop_reason,
        try_cast(message['seqNo'] as bigint) as seq_no,

        -- measures
        typed_meter_start as meter_start_wh,
        typed_meter_stop as meter_stop_wh,
        meter_values,

        -- flags
        is_from_charger,
        try_cast(message['offline'] as boolean) as is_offline,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
