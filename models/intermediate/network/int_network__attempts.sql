{% set limit_kwh = var('battery_tolerance') * var('max_battery_kwh') %}

with

sessions as (

    select * from {{ ref('int_network__sessions_rebuilt') }}

),

authorizations as (

    select * from {{ ref('int_network__authorizations') }}

),

without_transaction as (

    select * from {{ ref('int_network__attempts_without_transaction') }}

),

ports_with_status as (

    select distinct
        charger_id,
        evse_id
    from {{ ref('stg_network__charger_messages') }}
    where
        action = 'StatusNotification'
        and is_from_charger

),

granted as (

    select
        charger_id,
        transaction_id,
        min(requested_at) as granted_at,
        min(case when not is_remote_start then requested_at end) as authorized_at,
        bool_or(is_remote_start) as is_started_remotely
    from authorizations
    where transaction_id is not null
    group by charger_id, transaction_id

),

with_transaction as (

    select
        sessions.*,
        case
            when sessions.protocol = 'ocpp2.0.1' and sessions.starts_with_token then 'cached_authorization'
            when granted.is_started_remotely then 'remote_start'
            -- a later one is there to stop the transaction
            when
                granted.authorized_at
                <= sessions.started_at + interval '{{ var("network_authorize_seconds") }}' second
                then 'authorize_first'
            -- OCPP 1.6 begins no transaction without a token
            when sessions.protocol = 'ocpp1.6' then 'cached_authorization'
            else 'plug_in_first'
        end as attempt_mode,
        least(sessions.plugged_in_at, sessions.started_at, granted.granted_at) as attempt_started_at,
        coalesce(sessions.plugged_out_at, sessions.ended_at) as attempt_ended_at,
        sessions.power_started_at is not null
        or (
            ports_with_status.charger_id is null
            and sessions.protocol = 'ocpp1.6'
            and coalesce(sessions.energy_kwh > 0, false)
        ) as has_power_delivery,
        coalesce({{ is_valid_stop('sessions.stop_reason') }}, false) as has_valid_stop
    from sessions
    left join granted
        on
            sessions.charger_id = granted.charger_id
            and sessions.transaction_id = granted.transaction_id
    left join ports_with_status
        on
            sessions.charger_id = ports_with_status.charger_id
            and sessions.evse_id = ports_with_status.evse_id

),

attempts as (

    select
        'transaction/' || {{ path_of(['charger_id', 'transaction_id']) }} as attempt_id,
        charger_id,
        evse_id,
        transaction_id,
        id_token,
        attempt_mode,
        attempt_started_at as started_at,
        power_started_at,
        attempt_ended_at as ended_at,
        stop_reason,
        outcome,
        failure_reason,
        case when energy_kwh <= {{ limit_kwh }} then energy_kwh end as energy_kwh,
        has_power_delivery,
        has_valid_stop
    from with_transaction

    union all

    select
        attempt_id,
        charger_id,
        evse_id,
        cast(null as varchar) as transaction_id,
        id_token,
        attempt_mode,
        started_at,
        cast(null as timestamp) as power_started_at,
        ended_at,
        cast(null as varchar) as stop_reason,
        outcome,
        failure_reason,
        cast(null as decimal(18, 6)) as energy_kwh,
        false as has_power_delivery,
        false as has_valid_stop
    from without_transaction

),

final as (

    select
        -- keys
        attempt_id,

        -- attributes
        charger_id,
        evse_id,
        transaction_id,
        id_token,
        attempt_mode,
        date_trunc('second', started_at) as started_at,
        power_started_at,
        ended_at,
        stop_reason,
        outcome,
        failure_reason,

        -- measures
        energy_kwh,

        -- flags
        has_power_delivery,
        has_valid_stop
    from attempts

)

select * from final
