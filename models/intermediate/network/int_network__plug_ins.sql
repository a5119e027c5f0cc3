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
        -- a port that is faulted or unavailable can have a vehicle or none
        and status not in ('Faulted', 'Unavailable')

),

changes as (

    select *
    from statuses
    qualify is_occupied <> coalesce(
        lag(is_occupied) over (
            partition by charger_id, evse_id
            order by occurred_at, received_at, message_id, status
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
            order by occurred_at, received_at, message_id, status
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
    where
        is_occupied
        -- two statuses of one instant
        and (plugged_out_at is null or plugged_out_at > plugged_in_at)

)

select * from final
