with

windows as (

    select
        *,
        heartbeat_seconds * {{ var('network_missed_heartbeats') }} as patience_seconds
    from {{ ref('int_network__port_windows') }}

),

contacts as (

    select * from {{ ref('int_network__contacts') }}

),

chargers as (

    select distinct
        charger_id,
        patience_seconds
    from windows

),

-- Within a slot as long as the patience no silence is too long, so the first and the last message of each will do: that
-- is cheaper than putting all messages in order.
slots as (

    select
        messages.charger_id,
        floor(extract(epoch from messages.received_at) / chargers.patience_seconds) as slot_number,
        min(messages.received_at) as first_received_at,
        max(messages.received_at) as last_received_at
    from {{ ref('stg_network__charger_messages') }} as messages
    inner join chargers
        on messages.charger_id = chargers.charger_id
    where messages.is_from_charger
    group by messages.charger_id, slot_number

),

silences as (

    select
        charger_id,
        last_received_at as started_at,
        lead(first_received_at) over (partition by charger_id order by slot_number) as ended_at
    from slots

),

spans as (

    select
        windows.*,
        silences.started_at,
        silences.ended_at
    from windows
    inner join silences
        on windows.charger_id = silences.charger_id

    union all

    -- from the begin of the window to the first message
    select
        windows.*,
        windows.monitored_from as started_at,
        coalesce(contacts.first_received_at, windows.monitored_to) as ended_at
    from windows
    left join contacts
        on windows.charger_id = contacts.charger_id

    union all

    -- from the last message to the end of the window
    select
        windows.*,
        contacts.last_received_at as started_at,
        windows.monitored_to as ended_at
    from windows
    inner join contacts
        on windows.charger_id = contacts.charger_id

),

in_window as (

    select
        port_key,
        charger_id,
        evse_id,
        greatest(started_at, monitored_from) as started_at,
        least(ended_at, monitored_to) as ended_at
    from spans
    where
        {{ seconds_between('started_at', 'ended_at') }} > patience_seconds
        and started_at < monitored_to
        and ended_at > monitored_from

),

final as (

    select
        -- keys
        port_key,
        started_at,

        -- attributes
        charger_id,
        evse_id,
        ended_at
    from {{ merged_spans('in_window', ['port_key', 'charger_id', 'evse_id']) }}

)

select * from final
