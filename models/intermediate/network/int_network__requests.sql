with

requests as (

    select * from {{ ref('int_network__answered_requests') }}

),

starts as (

    select
        *,
        lead(occurred_at) over (
            partition by charger_id, evse_id
            order by occurred_at, message_id, transaction_id
        ) as next_started_at
    from requests
    where action = 'StartTransaction'

),

unanswered as (

    select * from starts
    where not is_answered

),

-- Numbers of transactions that no response has brought, on chargers where a response is missing.
unstarted as (

    select
        messages.charger_id,
        messages.transaction_id,
        min(messages.occurred_at) as first_seen_at,
        min(messages.evse_id) as evse_id,
        min(messages.id_token) as id_token
    from {{ ref('int_network__messages') }} as messages
    semi join unanswered
        on messages.charger_id = unanswered.charger_id
    anti join starts
        on
            messages.charger_id = starts.charger_id
            and messages.transaction_id = starts.transaction_id
    where
        messages.is_from_charger
        and messages.action in ('StopTransaction', 'MeterValues')
        and {{ is_transaction_id('messages.transaction_id') }}
    group by messages.charger_id, messages.transaction_id

),

-- What says where a number belongs: the port of its readings, else the token of its stop, else the charger.
placed as (

    select
        *,
        charger_id || chr(31)
        || coalesce('port ' || evse_id, 'token ' || id_token, 'charger') as place
    from unstarted

),

places as (

    select
        charger_id || chr(31) || 'port ' || evse_id as place,
        *
    from unanswered

    union all

    select
        charger_id || chr(31) || 'token ' || id_token as place,
        *
    from unanswered

    union all

    select
        charger_id || chr(31) || 'charger' as place,
        *
    from unanswered

),

latest_places as (

    select
        place,
        occurred_at,
        min(transaction_id) as start_id,
        min(next_started_at) as next_started_at
    from places
    where place is not null
    group by place, occurred_at

),

found as (

    select
        placed.charger_id,
        placed.transaction_id,
        placed.first_seen_at,
        latest_places.start_id
    from placed
    {{ join_latest(
        'latest_places', 'latest_places', 'place', 'placed.place', 'occurred_at', 'placed.first_seen_at',
    ) }}
    where coalesce(placed.first_seen_at < latest_places.next_started_at, true)

),

-- A start has one number, the first that is seen.
numbers as (

    select
        charger_id,
        start_id,
        transaction_id
    from found
    where start_id is not null
    qualify row_number() over (partition by charger_id, start_id order by first_seen_at, transaction_id) = 1

),

final as (

    select requests.* replace (coalesce(numbers.transaction_id, requests.transaction_id) as transaction_id)
    from requests
    left join numbers
        on
            requests.charger_id = numbers.charger_id
            and requests.transaction_id = numbers.start_id

)

select * from final
