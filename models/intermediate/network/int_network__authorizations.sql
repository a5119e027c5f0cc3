{% set reach = var('network_authorize_seconds') %}
{#- A driver may take a while from the app to the plug, and back ends count anew. -#}
{% set number_reach = 24 * 60 * 60 %}

with

requests as (

    select * from {{ ref('int_network__requests') }}
    where action in ('Authorize', 'RemoteStartTransaction', 'RequestStartTransaction')

),

transactions as (

    select * from {{ ref('int_network__transactions') }}

),

-- A charger that restarts can begin to count its messages anew.
numbered as (

    select
        *,
        action <> 'Authorize' as is_remote_start,
        date_trunc('second', occurred_at) as requested_at,
        row_number() over (
            partition by charger_id, message_id, action = 'Authorize'
            order by occurred_at, id_token, action
        ) as message_number
    from requests

),

identified as (

    select
        case when is_remote_start then 'remote_start/' else 'authorize/' end || {{ path_of(['charger_id', 'message_id']) }}
        || case when message_number > 1 then '#' || message_number else '' end as authorization_id,
        charger_id,
        evse_id,
        id_token,
        token_status,
        requested_at,
        charger_id || '/' || remote_start_id as remote_start_key,
        answered_transaction_id,
        case when is_remote_start then 0 else {{ var('network_authorize_min_seconds') }} end as least_seconds,
        is_remote_start
    from numbered

),

begun as (

    select
        charger_id,
        transaction_id,
        id_token,
        charger_id || '/' || remote_start_id as remote_start_key,
        date_trunc('second', started_at) as started_at,
        greatest(
            date_trunc('second', started_at) + interval '{{ reach }}' second,
            coalesce(ended_at, last_seen_at)
        ) as running_until
    from transactions

),

-- A back end can use a number again: the nearest transaction is meant.
remotely_begun as (

    select
        remote_start_key,
        started_at,
        min(transaction_id) as transaction_id
    from begun
    where remote_start_key is not null
    group by remote_start_key, started_at

),

linked_by_number as (

    select
        identified.authorization_id,
        case
            when
                later.started_at is null
                or {{ seconds_between('identified.requested_at', 'later.started_at') }} > {{ number_reach }}
                or {{ seconds_between('earlier.started_at', 'identified.requested_at') }}
                < {{ seconds_between('identified.requested_at', 'later.started_at') }}
                then case
                    when {{ seconds_between('earlier.started_at', 'identified.requested_at') }} <= {{ number_reach }}
                        then earlier.transaction_id
                end
            else later.transaction_id
        end as transaction_id
    from identified
    {{ join_latest(
        'remotely_begun', 'earlier', 'remote_start_key', 'identified.remote_start_key',
        'started_at', 'identified.requested_at',
    ) }}
    {{ join_next(
        'remotely_begun', 'later', {'remote_start_key': 'identified.remote_start_key'},
        'started_at', 'identified.requested_at',
    ) }}
    where
        identified.is_remote_start
        and identified.remote_start_key is not null

),

linked_by_response as (

    select
        identified.authorization_id,
        begun.transaction_id
    from identified
    inner join begun
        on
            identified.charger_id = begun.charger_id
            and identified.answered_transaction_id = begun.transaction_id
    where identified.is_remote_start

),

token_days as (

    select
        charger_id,
        transaction_id,
        id_token,
        started_at,
        running_until,
        {{ each_day("started_at - interval '" ~ reach ~ "' second", 'running_until') }} as day
    from begun
    where id_token is not null

),

paired_by_token as (

    select
        identified.authorization_id,
        identified.is_remote_start,
        identified.least_seconds,
        token_days.transaction_id,
        {{ seconds_between('identified.requested_at', 'token_days.started_at') }} as seconds_to_start,
        token_days.running_until >= identified.requested_at as is_running
    from identified
    inner join token_days
        on
            identified.charger_id = token_days.charger_id
            and identified.id_token = token_days.id_token
            and cast(identified.requested_at as date) = token_days.day

),

links as (

    select
        authorization_id,
        transaction_id,
        1 as link_order,
        0 as distance_seconds
    from linked_by_number
    where transaction_id is not null

    union all

    select
        authorization_id,
        transaction_id,
        2 as link_order,
        0 as distance_seconds
    from linked_by_response

    union all

    -- the next transaction that the token begins
    select
        authorization_id,
        transaction_id,
        3 as link_order,
        seconds_to_start as distance_seconds
    from paired_by_token
    where seconds_to_start between least_seconds and {{ reach }}

    union all

    -- else the last that it has just begun, or that is still running
    select
        authorization_id,
        transaction_id,
        4 as link_order,
        -seconds_to_start as distance_seconds
    from paired_by_token
    where
        is_running
        and seconds_to_start <= -least_seconds
        and not is_remote_start

),

bound as (

    select
        authorization_id,
        transaction_id
    from links
    qualify row_number() over (
        partition by authorization_id
        order by link_order, distance_seconds, transaction_id
    ) = 1

),

final as (

    select
        -- keys
        identified.authorization_id,

        -- attributes
        identified.charger_id,
        identified.evse_id,
        bound.transaction_id,
        identified.id_token,
        identified.token_status,
        identified.requested_at,

        -- flags
        identified.is_remote_start
    from identified
    left join bound
        on identified.authorization_id = bound.authorization_id

)

select * from final
