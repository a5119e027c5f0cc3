with

matches as (

    select
        *,
        count(*) over (partition by session_id) as matches_of_session,
        count(*) over (partition by charger_id, transaction_id) as matches_of_transaction
    from {{ ref('int_network__session_matches') }}

),

listed as (

    select
        session_id,
        station_id,
        count(*) as listed_sessions
    from {{ ref('stg_network__charging_sessions') }}
    group by session_id, station_id

),

transactions as (

    select
        charger_id,
        transaction_id,
        count(*) as transactions
    from {{ ref('int_network__transactions') }}
    group by charger_id, transaction_id

)

select
    matches.session_id,
    matches.charger_id,
    matches.transaction_id,
    listed.listed_sessions,
    transactions.transactions,
    greatest(matches.matches_of_session, matches.matches_of_transaction) as matches
from matches
left join listed
    on
        matches.session_id = listed.session_id
        and matches.charger_id = listed.station_id
left join transactions
    on
        matches.charger_id = transactions.charger_id
        and matches.transaction_id = transactions.transaction_id
where
    listed.listed_sessions is distinct from 1
    or transactions.transactions is distinct from 1
    or matches.matches_of_session > 1
    or matches.matches_of_transaction > 1
