{#- Requests that name a driver or begin a transaction, by who sends them. -#}
{% set of_charger = "('Authorize', 'StartTransaction', 'TransactionEvent')" %}
{% set to_charger = "('RemoteStartTransaction', 'RequestStartTransaction')" %}

with

-- A response can come without its action: the number of its request says what it answers.
messages as (

    select
        charger_id,
        message_id,
        is_from_charger,
        received_at,
        occurred_at,
        action,
        evse_id,
        id_token,
        token_status,
        transaction_id,
        remote_start_id,
        event_type,
        trigger_reason,
        status,
        meter_start_wh,
        coalesce(is_from_charger = (action in {{ of_charger }}), false) as is_request
    from {{ ref('int_network__messages') }}
    where
        action is null
        or action in {{ of_charger }}
        or action in {{ to_charger }}

),

-- Of transactions, the events that begin one or name a driver.
requests as (

    select
        *,
        is_from_charger as is_asked_by_charger
    from messages
    where
        is_request
        and (action <> 'TransactionEvent' or event_type = 'Started' or id_token is not null)

),

responses as (

    select
        *,
        not is_from_charger as is_asked_by_charger
    from messages
    where not is_request

),

exchanged as (

    select * from requests

    union all

    select responses.*
    from responses
    semi join requests
        on
            responses.charger_id = requests.charger_id
            and responses.message_id = requests.message_id
            and responses.is_asked_by_charger = requests.is_asked_by_charger

),

-- A charger that restarts can begin to count its messages anew: what follows a request under its number is the response to it,
-- or else the next request.
followed as (

    select
        *,
        lead(is_request) over in_turn as next_is_request,
        lead(action) over in_turn as next_action,
        lead(transaction_id) over in_turn as next_transaction_id,
        lead(token_status) over in_turn as next_token_status,
        lead(status) over in_turn as next_status
    from exchanged
    window in_turn as (
        partition by charger_id, is_asked_by_charger, message_id
        order by
            received_at, is_request desc, occurred_at, action, evse_id, transaction_id, id_token, token_status, status
    )

),

answered as (

    select
        *,
        not coalesce(next_is_request, true) and coalesce(next_action, action) = action as is_answered,
        case
            when is_answered and {{ is_transaction_id('next_transaction_id') }} then next_transaction_id
        end as answered_transaction_id,
        action = 'StartTransaction' and answered_transaction_id is null as is_unnumbered
    from followed
    where is_request

),

-- OCPP 1.6 learns the number of a transaction from the response.
numbered as (

    select
        *,
        null as message_number
    from answered
    where not is_unnumbered

    union all

    select
        *,
        row_number() over (
            partition by charger_id, message_id
            order by occurred_at, received_at, id_token, evse_id
        ) as message_number
    from answered
    where is_unnumbered

),

final as (

    select
        -- keys
        charger_id,
        message_id,
        is_from_charger,
        occurred_at,

        -- attributes
        action,
        evse_id,
        id_token,
        case
            when is_unnumbered then 'start:' || message_id || case when message_number > 1 then '#' || message_number else '' end
            when action = 'StartTransaction' then answered_transaction_id
            else transaction_id
        end as transaction_id,
        remote_start_id,
        event_type,
        trigger_reason,
        answered_transaction_id,
        case when is_answered then next_token_status end as token_status,
        case when is_answered then next_status end as status,

        -- measures
        meter_start_wh,

        -- flags
        is_answered
    from numbered

)

select * from final
