{% set minutes = var('network_session_match_minutes') %}

with

listed as (

    select * from {{ ref('stg_network__charging_sessions') }}

),

transactions as (

    select
        charger_id,
        transaction_id,
        started_at,
        -- where the stop was lost
        coalesce(ended_at, plugged_out_at) as ended_at
    from {{ ref('int_network__sessions_rebuilt') }}

),

named as (

    select
        listed.session_id,
        transactions.charger_id,
        transactions.transaction_id,
        -1 as distance_seconds
    from listed
    inner join transactions
        on
            listed.station_id = transactions.charger_id
            and listed.session_id = transactions.transaction_id
            -- a list may number its sessions itself
            and abs({{ seconds_between('listed.started_at', 'transactions.started_at') }}) <= 24 * 60 * 60

    union all

    select
        listed.session_id,
        transactions.charger_id,
        transactions.transaction_id,
        -2 as distance_seconds
    from listed
    inner join transactions
        on
            listed.station_id = transactions.charger_id
            and listed.session_id = {{ path_of(['transactions.charger_id', 'transactions.transaction_id']) }}

),

-- Times that are near each other are in one slot or in two that are next to each other.
slots as (

    select
        *,
        floor(extract(epoch from started_at) / {{ minutes * 60 }})
        + unnest([-1, 0, 1]) as slot_number
    from listed
    where ended_at is not null

),

in_slots as (

    select
        *,
        floor(extract(epoch from started_at) / {{ minutes * 60 }}) as slot_number
    from transactions
    where ended_at is not null

),

timed as (

    select
        slots.session_id,
        in_slots.charger_id,
        in_slots.transaction_id,
        abs({{ seconds_between('slots.started_at', 'in_slots.started_at') }}) as start_seconds,
        abs({{ seconds_between('slots.ended_at', 'in_slots.ended_at') }}) as end_seconds
    from slots
    inner join in_slots
        on
            slots.station_id = in_slots.charger_id
            and slots.slot_number = in_slots.slot_number

),

candidates as (

    select * from named

    union all

    select
        session_id,
        charger_id,
        transaction_id,
        start_seconds + end_seconds as distance_seconds
    from timed
    where
        start_seconds <= {{ minutes * 60 }}
        and end_seconds <= {{ minutes * 60 }}

),

-- Each is the nearest of the other.
mutual as (

    select *
    from candidates
    qualify
        row_number() over (
            partition by session_id
            order by distance_seconds, charger_id, transaction_id
        ) = 1
        and row_number() over (
            partition by charger_id, transaction_id
            order by distance_seconds, session_id
        ) = 1

),

final as (

    select
        -- keys
        session_id,

        -- attributes
        charger_id,
        transaction_id
    from mutual

)

select * from final
