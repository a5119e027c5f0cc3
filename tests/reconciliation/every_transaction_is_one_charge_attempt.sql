with

transactions as (

    select {{ surrogate_key(["'network'", "'messages'", 'charger_id', 'transaction_id']) }} as session_key
    from {{ ref('int_network__transactions') }}

),

attempts as (

    select
        session_key,
        count(*) as attempts
    from {{ ref('fct_charge_attempts') }}
    where session_key is not null
    group by session_key

)

select
    coalesce(transactions.session_key, attempts.session_key) as session_key,
    coalesce(attempts.attempts, 0) as attempts
from transactions
full outer join attempts
    on transactions.session_key = attempts.session_key
where
    transactions.session_key is null
    or attempts.attempts is distinct from 1
