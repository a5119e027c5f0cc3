with

samples as (

    select * from {{ ref('int_network__register_samples') }}
    where not is_unreadable

),

requests as (

    select * from {{ ref('int_network__requests') }}
    where action = 'StartTransaction'

),

stops as (

    select * from {{ ref('int_network__messages') }}
    where
        action = 'StopTransaction'
        and is_from_charger
        and {{ is_transaction_id('transaction_id') }}

),

registers as (

    select
        charger_id,
        transaction_id,
        read_at,
        value as register_wh
    from samples
    where measurand = 'Energy.Active.Import.Register'

    union all

    select
        charger_id,
        transaction_id,
        occurred_at as read_at,
        meter_start_wh as register_wh
    from requests
    where meter_start_wh is not null

    union all

    select
        charger_id,
        transaction_id,
        occurred_at as read_at,
        meter_stop_wh as register_wh
    from stops
    where meter_stop_wh is not null

),

readings as (

    select
        charger_id,
        transaction_id,
        read_at,
        max(register_wh) as register_wh
    from registers
    group by charger_id, transaction_id, read_at

),

increments as (

    select
        charger_id,
        transaction_id,
        read_at,
        register_wh,
        lag(register_wh) over (partition by charger_id, transaction_id order by read_at) as last_register_wh
    from readings

),

energy as (

    select
        charger_id,
        transaction_id,
        count(*) as readings,
        min(read_at) as first_read_at,
        max(read_at) as last_read_at,
        min_by(register_wh, read_at) as first_register_wh,
        max_by(register_wh, read_at) as last_register_wh,
        sum(case when register_wh < last_register_wh then 1 else 0 end) as register_resets,
        -- a register that fell began again at nothing
        sum(case
            when register_wh < last_register_wh then register_wh
            else register_wh - last_register_wh
        end) as energy_wh
    from increments
    group by charger_id, transaction_id

),

others as (

    select
        charger_id,
        transaction_id,
        min(evse_id) as evse_id,
        min(read_at) as first_sample_at,
        max(read_at) as last_sample_at,
        max(case when measurand = 'Power.Active.Import' then value end) as max_power_w,
        min_by(value, row(read_at, value)) filter (where measurand = 'SoC' and value between 0 and 100) as soc_start_pct,
        max_by(value, row(read_at, value)) filter (where measurand = 'SoC' and value between 0 and 100) as soc_end_pct
    from samples
    group by charger_id, transaction_id

),

final as (

    select
        -- keys
        coalesce(energy.charger_id, others.charger_id) as charger_id,
        coalesce(energy.transaction_id, others.transaction_id) as transaction_id,

        -- attributes
        others.evse_id,
        least(energy.first_read_at, others.first_sample_at) as first_read_at,
        greatest(energy.last_read_at, others.last_sample_at) as last_read_at,

        -- measures
        -- registers can hold anything: what no battery takes is only capped to what the column holds
        cast(case when energy.readings > 1 then least(energy.energy_wh * 0.001, 999999999) end as decimal(18, 6)) as energy_kwh,
        cast(others.max_power_w * 0.001 as decimal(18, 6)) as max_power_kw,
        cast(others.soc_start_pct as decimal(9, 4)) as soc_start_pct,
        cast(others.soc_end_pct as decimal(9, 4)) as soc_end_pct,
        cast(coalesce(energy.readings, 0) as integer) as readings,
        cast(coalesce(energy.register_resets, 0) as integer) as register_resets,
        cast(energy.first_register_wh as decimal(18, 3)) as first_register_wh,
        cast(energy.last_register_wh as decimal(18, 3)) as last_register_wh
    from energy
    full outer join others
        on
            energy.charger_id = others.charger_id
            and energy.transaction_id = others.transaction_id

)

select * from final
