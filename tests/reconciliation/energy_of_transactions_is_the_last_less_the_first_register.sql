with

registers as (

    select
        charger_id,
        transaction_id,
        value as register_wh
    from {{ ref('int_network__register_samples') }}
    where
        measurand = 'Energy.Active.Import.Register'
        and not is_unreadable

    union all

    select
        charger_id,
        transaction_id,
        meter_start_wh as register_wh
    from {{ ref('int_network__requests') }}
    where action = 'StartTransaction'

    union all

    select
        charger_id,
        transaction_id,
        meter_stop_wh as register_wh
    from {{ ref('stg_network__charger_messages') }}
    where
        action = 'StopTransaction'
        and is_from_charger

),

spans as (

    select
        charger_id,
        transaction_id,
        (max(register_wh) - min(register_wh)) * 0.001 as span_kwh
    from registers
    group by charger_id, transaction_id

)

select
    transactions.charger_id,
    transactions.transaction_id,
    transactions.energy_kwh,
    spans.span_kwh
from {{ ref('int_network__transactions') }} as transactions
left join spans
    on
        transactions.charger_id = spans.charger_id
        and transactions.transaction_id = spans.transaction_id
where
    transactions.has_stop
    and transactions.register_resets = 0
    and transactions.energy_kwh is not null
    and coalesce(abs(transactions.energy_kwh - spans.span_kwh) > 0.001 * spans.span_kwh, true)
