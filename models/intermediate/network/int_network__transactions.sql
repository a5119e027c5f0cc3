with

messages as (

    select
        charger_id,
        message_id,
        occurred_at,
        action,
        evse_id,
        transaction_id,
        id_token,
        status,
        remote_start_id,
        event_type,
        trigger_reason,
        charging_state,
        stop_reason
    from {{ ref('int_network__messages') }}
    where is_from_charger

),

requests as (

    select * from {{ ref('int_network__requests') }}
    where is_from_charger

),

energy as (

    select * from {{ ref('int_network__transaction_energy') }}

),

-- OCPP 1.6: a start and a stop
starts as (

    select
        charger_id,
        transaction_id,
        min(evse_id) as evse_id,
        min_by(id_token, row(occurred_at, message_id, id_token)) as id_token,
        max_by(token_status, row(occurred_at, message_id, token_status)) as token_status,
        min(occurred_at) as started_at
    from requests
    where action = 'StartTransaction'
    group by charger_id, transaction_id

),

stops as (

    select
        charger_id,
        transaction_id,
        min_by(id_token, row(occurred_at, message_id, id_token)) as id_token,
        min(occurred_at) as ended_at,
        coalesce(min_by(stop_reason, row(occurred_at, message_id, stop_reason)), 'Local') as stop_reason
    from messages
    where
        action = 'StopTransaction'
        and {{ is_transaction_id('transaction_id') }}
    group by charger_id, transaction_id

),

started_and_stopped as (

    select
        coalesce(starts.charger_id, stops.charger_id) as charger_id,
        coalesce(starts.transaction_id, stops.transaction_id) as transaction_id,
        'ocpp1.6' as protocol,
        starts.evse_id,
        coalesce(starts.id_token, stops.id_token) as id_token,
        starts.token_status,
        starts.started_at,
        stops.ended_at,
        greatest(starts.started_at, stops.ended_at) as last_event_at,
        cast(null as timestamp) as power_started_at,
        stops.stop_reason,
        starts.charger_id is not null as has_start,
        stops.charger_id is not null as has_stop,
        false as starts_with_token,
        cast(null as varchar) as start_trigger,
        cast(null as varchar) as remote_start_id
    from starts
    full outer join stops
        on
            starts.charger_id = stops.charger_id
            and starts.transaction_id = stops.transaction_id

),

-- OCPP 2.0.1: events that name their transaction
answers as (

    select
        charger_id,
        transaction_id,
        max_by(token_status, row(occurred_at, message_id, token_status)) as token_status,
        -- a token that the answer doesn't speak of was known before
        bool_or(
            event_type = 'Started'
            and id_token is not null
            and (token_status is not null or not is_answered)
        ) as starts_with_token
    from requests
    where action = 'TransactionEvent'
    group by charger_id, transaction_id

),

events as (

    select
        charger_id,
        transaction_id,
        'ocpp2.0.1' as protocol,
        min(evse_id) as evse_id,
        min_by(id_token, row(occurred_at, message_id, id_token)) filter (where id_token is not null) as id_token,
        min(case when event_type = 'Started' then occurred_at end) as started_at,
        min(case when event_type = 'Ended' then occurred_at end) as ended_at,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(case when charging_state = 'Charging' then occurred_at end) as power_started_at,
        case
            when bool_or(event_type = 'Ended')
                then coalesce(min(case when event_type = 'Ended' then stop_reason end), 'Local')
        end as stop_reason,
        bool_or(event_type = 'Started') as has_start,
        bool_or(event_type = 'Ended') as has_stop,
        min(case when event_type = 'Started' then trigger_reason end) as start_trigger,
        min(remote_start_id) as remote_start_id
    from messages
    where action = 'TransactionEvent'
    group by charger_id, transaction_id

),

transactions as (

    select * from started_and_stopped

    union all

    select
        events.charger_id,
        events.transaction_id,
        events.protocol,
        events.evse_id,
        events.id_token,
        answers.token_status,
        coalesce(events.started_at, events.first_event_at) as started_at,
        events.ended_at,
        events.last_event_at,
        events.power_started_at,
        events.stop_reason,
        events.has_start,
        events.has_stop,
        answers.starts_with_token,
        events.start_trigger,
        events.remote_start_id
    from events
    left join answers
        on
            events.charger_id = answers.charger_id
            and events.transaction_id = answers.transaction_id
    -- a number that a charger uses again, here after a change of its protocol, is one transaction
    left join started_and_stopped
        on
            events.charger_id = started_and_stopped.charger_id
            and events.transaction_id = started_and_stopped.transaction_id
    where started_and_stopped.charger_id is null

),

-- Readings can tell of a transaction whose other messages were all lost.
metered as (

    select
        coalesce(transactions.charger_id, energy.charger_id) as charger_id,
        coalesce(transactions.transaction_id, energy.transaction_id) as transaction_id,
        coalesce(transactions.protocol, 'ocpp1.6') as protocol,
        coalesce(transactions.evse_id, energy.evse_id) as evse_id,
        transactions.id_token,
        transactions.token_status,
        coalesce(transactions.started_at, energy.first_read_at, transactions.ended_at) as started_at,
        transactions.ended_at,
        greatest(transactions.last_event_at, energy.last_read_at) as last_seen_at,
        transactions.power_started_at,
        transactions.stop_reason,
        coalesce(transactions.has_start, false) as has_start,
        coalesce(transactions.has_stop, false) as has_stop,
        coalesce(transactions.starts_with_token, false) as starts_with_token,
        transactions.start_trigger,
        transactions.remote_start_id,
        energy.energy_kwh,
        energy.max_power_kw,
        energy.soc_start_pct,
        energy.soc_end_pct,
        coalesce(energy.readings, 0) as readings,
        coalesce(energy.register_resets, 0) as register_resets,
        energy.first_register_wh,
        energy.last_register_wh,
        energy.first_read_at
    from transactions
    full outer join energy
        on
            transactions.charger_id = energy.charger_id
            and transactions.transaction_id = energy.transaction_id

),

-- A clock that was set in the middle can put the stop or the power before the start.
ordered as (

    select
        * replace (
            case when ended_at is not null then greatest(started_at, ended_at) end as ended_at,
            case when power_started_at is not null then greatest(started_at, power_started_at) end as power_started_at
        ),
        case when evse_id is not null then lead(started_at) over on_port end as next_started_at,
        -- a first reading amid a transaction is not what its register began with
        case
            when evse_id is not null
                then lead(
                    case when has_start and first_read_at <= coalesce(power_started_at, started_at) then first_register_wh end
                ) over on_port
        end as next_register_wh
    from metered
    window on_port as (
        partition by charger_id, evse_id
        order by started_at, transaction_id
    )

),

-- Where the stop was lost the register goes on counting: what it says at the next start was drawn by this transaction.
completed as (

    select
        * replace (
            case
                when has_stop or not has_start or coalesce(next_register_wh < last_register_wh, true) then energy_kwh
                else cast(
                    least(coalesce(energy_kwh, 0) + (next_register_wh - last_register_wh) * 0.001, 999999999) as decimal(18, 6)
                )
            end as energy_kwh
        )
    from ordered

),

charging as (

    select distinct
        charger_id,
        evse_id,
        occurred_at as charging_at
    from messages
    where
        action = 'StatusNotification'
        and status = 'Charging'
        and evse_id >= 1

),

final as (

    select
        -- keys
        completed.charger_id,
        completed.transaction_id,

        -- attributes
        completed.protocol,
        completed.evse_id,
        completed.id_token,
        completed.token_status,
        completed.started_at,
        completed.ended_at,
        completed.last_seen_at,
        completed.next_started_at,
        coalesce(
            completed.power_started_at,
            -- OCPP 1.6 says it of the port
            case
                when
                    completed.protocol = 'ocpp1.6'
                    and charging.charging_at
                    < coalesce(completed.ended_at, completed.next_started_at, charging.charging_at + interval 1 second)
                    then charging.charging_at
            end
        ) as power_started_at,
        completed.stop_reason,
        completed.start_trigger,
        completed.remote_start_id,

        -- measures
        completed.energy_kwh,
        completed.max_power_kw,
        completed.soc_start_pct,
        completed.soc_end_pct,
        completed.readings,
        completed.register_resets,
        completed.first_register_wh,
        completed.last_register_wh,

        -- flags
        completed.has_start,
        completed.has_stop,
        completed.starts_with_token
    from completed
    {{ join_next(
        'charging',
        'charging',
        {'charger_id': 'completed.charger_id', 'evse_id': 'completed.evse_id'},
        'charging_at',
        'completed.started_at',
    ) }}

)

select * from final
