with

windows as (

    select * from {{ ref('int_network__port_windows') }}

),

offline_periods as (

    select * from {{ ref('int_network__offline_periods') }}

),

statuses as (

    select
        charger_id,
        evse_id,
        occurred_at,
        received_at,
        message_id,
        status
    from {{ ref('int_network__messages') }}
    where
        action = 'StatusNotification'
        and is_from_charger
        and status is not null

),

-- Each event says something new about its port and nothing (NULL) about the rest.
events as (

    select
        windows.charger_id,
        windows.evse_id,
        statuses.occurred_at as happened_at,
        statuses.received_at,
        statuses.message_id,
        statuses.status as port_status,
        null as charger_status,
        null as is_online
    from statuses
    inner join windows
        on
            statuses.charger_id = windows.charger_id
            and statuses.evse_id = windows.evse_id

    union all

    -- number 0 is the whole charger, and so every port of it
    select
        windows.charger_id,
        windows.evse_id,
        statuses.occurred_at as happened_at,
        statuses.received_at,
        statuses.message_id,
        null as port_status,
        statuses.status as charger_status,
        null as is_online
    from statuses
    inner join windows
        on statuses.charger_id = windows.charger_id
    where statuses.evse_id = 0

    union all

    select
        charger_id,
        evse_id,
        started_at as happened_at,
        null as received_at,
        null as message_id,
        null as port_status,
        null as charger_status,
        false as is_online
    from offline_periods

    union all

    select
        charger_id,
        evse_id,
        ended_at as happened_at,
        null as received_at,
        null as message_id,
        null as port_status,
        null as charger_status,
        true as is_online
    from offline_periods

    union all

    -- the window begins whether anything is known or not
    select
        charger_id,
        evse_id,
        monitored_from as happened_at,
        null as received_at,
        null as message_id,
        null as port_status,
        null as charger_status,
        null as is_online
    from windows

),

known as (

    select
        charger_id,
        evse_id,
        happened_at as started_at,
        lead(happened_at) over in_order as ended_at,
        last_value(port_status ignore nulls) over so_far as port_status,
        last_value(charger_status ignore nulls) over so_far as charger_status,
        last_value(is_online ignore nulls) over so_far as is_online
    from events
    window
        in_order as (
            partition by charger_id, evse_id
            order by happened_at, received_at, length(message_id), message_id, port_status, charger_status
        ),
        so_far as (
            partition by charger_id, evse_id
            order by happened_at, received_at, length(message_id), message_id, port_status, charger_status
            rows between unbounded preceding and current row
        )

),

in_window as (

    select
        known.charger_id,
        known.evse_id,
        known.started_at,
        windows.monitored_to,
        case
            when
                known.charger_status in ('Faulted', 'Unavailable')
                and coalesce(known.port_status, 'unknown') not in ('Faulted', 'Unavailable')
                then known.charger_status
            else coalesce(known.port_status, 'unknown')
        end as status,
        coalesce(known.is_online, true) as is_online,
        coalesce('Faulted' in (known.port_status, known.charger_status), false) as is_faulted,
        coalesce('Unavailable' in (known.port_status, known.charger_status), false) as is_unavailable
    from known
    inner join windows
        on
            known.charger_id = windows.charger_id
            and known.evse_id = windows.evse_id
    where
        known.started_at >= windows.monitored_from
        and known.started_at < windows.monitored_to
        -- of several events in one instant the last knows what the others said
        and coalesce(known.started_at < known.ended_at, true)

),

changes as (

    select *
    from in_window
    window
        before as (
            partition by charger_id, evse_id
            order by started_at
        )
    qualify
        lag(started_at) over before is null
        or lag(status) over before <> status
        or lag(is_online) over before <> is_online
        or lag(is_faulted) over before <> is_faulted
        or lag(is_unavailable) over before <> is_unavailable

),

final as (

    select
        -- keys
        charger_id,
        evse_id,
        started_at,

        -- attributes
        coalesce(lead(started_at) over (partition by charger_id, evse_id order by started_at), monitored_to) as ended_at,
        status,

        -- flags
        is_online,
        is_faulted,
        is_unavailable,
        is_online and not is_faulted and not is_unavailable as is_up
    from changes

)

select * from final
