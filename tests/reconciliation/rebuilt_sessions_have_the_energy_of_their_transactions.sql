with

transactions as (

    select
        {{ surrogate_key(["'network'", "'messages'", 'charger_id', 'transaction_id']) }} as session_key,
        charger_id,
        transaction_id,
        energy_kwh
    from {{ ref('int_network__transactions') }}

),

facts as (

    select
        session_key,
        energy_kwh
    from {{ ref('fct_charging_sessions') }}
    where source_system = 'network'

)

select
    transactions.charger_id,
    transactions.transaction_id,
    transactions.energy_kwh as transaction_kwh,
    facts.energy_kwh as fact_kwh
from transactions
left join facts
    on transactions.session_key = facts.session_key
where
    facts.session_key is null
    or facts.energy_kwh is distinct from case
        when transactions.energy_kwh <= {{ var('battery_tolerance') * var('max_battery_kwh') }} then transactions.energy_kwh
    end
