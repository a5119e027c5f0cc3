with

statuses as (

    select
        charger_id,
        evse_id,
        occurred_at,
        received_at,
        message_id,
        status,
        status in ('Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing', 'Occupied') as is_occupied
    from {{ ref('int_network__messages') }}
    where
        action = 'StatusNotification'
        and is_from_charger
        and evse_id >= 1
        -- a port that is faulted, unavailable or something unheard of can have a vehicle or none
        and status in (
            'Available', 'Reserved', 'Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing', 'Occupied'
        )
    -- the last of an instant counts; most chargers count their messages
    qualify row_number() over (
        partition by charger_id, evse_id, occurred_at
        order by received_at desc, length(message_id) desc, message_id desc, status desc
    ) = 1

),

changes as (

    select *
    from statuses
    qualify is_occupied <> coalesce(
        lag(is_occupied) over (
            partition by charger_id, evse_id
            order by occurred_at
        ),
        false
    )

),

spans as (

    select
        charger_id,
        evse_id,
        occurred_at as plugged_in_at,
        lead(occurred_at) over (
            partition by charger_id, evse_id
            order by occurred_at
        ) as plugged_out_at,
        is_occupied
    from changes

),

final as (

    select
        -- keys
        charger_id,
        evse_id,
        plugged_in_at,

        -- attributes
        plugged_out_at
    from spans
    where is_occupied

)

select * from final
