with

transactions as (

    select * from {{ ref('int_network__transactions') }}

),

plug_ins as (

    select
        *,
        coalesce(plugged_out_at, cast('9999-12-31' as timestamp)) as occupied_until
    from {{ ref('int_network__plug_ins') }}

),

-- The plug-in that a transaction falls into can begin after it, where the driver authorises first.
plugged as (

    select
        transactions.*,
        case
            when plug_ins.plugged_in_at <= coalesce(transactions.ended_at, transactions.last_seen_at)
                then plug_ins.plugged_in_at
        end as plug_in_at,
        plug_ins.plugged_out_at as plug_out_at
    from transactions
    {{ join_next(
        'plug_ins',
        'plug_ins',
        {'charger_id': 'transactions.charger_id', 'evse_id': 'transactions.evse_id'},
        'occupied_until',
        'transactions.started_at',
        is_strict=true,
    ) }}

),

-- Transactions of one plug-in share its time: each but the first begins where the one before ended.
in_plug_in as (

    select
        *,
        case
            when lag(transaction_id) over in_order is not null then coalesce(lag(ended_at) over in_order, started_at)
        end as last_ended_at,
        lead(started_at) over in_order as following_at
    from plugged
    window in_order as (
        partition by charger_id, evse_id, plug_in_at
        order by started_at, transaction_id
    )

),

spans as (

    select
        *,
        case
            when plug_in_at is null then started_at
            when last_ended_at is not null then least(last_ended_at, started_at)
            else plug_in_at
        end as plugged_in_at,
        case
            when plug_in_at is null then coalesce(ended_at, next_started_at)
            when following_at is not null then coalesce(ended_at, greatest(following_at, plug_in_at))
            else coalesce(plug_out_at, ended_at)
        end as plugged_out_at
    from in_plug_in

),

judged as (

    select
        *,
        case
            when plugged_out_at is null then 'open'
            when not has_stop and not ({{ is_token_rejected('token_status') }} and coalesce(energy_kwh, 0) = 0) then 'unknown'
            when
                {{ is_valid_stop('stop_reason') }}
                and (energy_kwh > 0 or (energy_kwh is null and power_started_at is not null))
                then 'succeeded'
            else 'failed'
        end as outcome
    from spans

),

final as (

    select
        -- keys
        charger_id,
        transaction_id,

        -- attributes
        protocol,
        evse_id,
        id_token,
        token_status,
        plugged_in_at,
        plugged_out_at,
        started_at,
        ended_at,
        last_seen_at,
        power_started_at,
        stop_reason,
        start_trigger,
        remote_start_id,
        outcome,
        case
            when outcome <> 'failed' then null
            when {{ is_token_rejected('token_status') }} then 'authorization_rejected'
            when power_started_at is null and coalesce(energy_kwh, 0) = 0 then 'no_power'
            when energy_kwh = 0 then 'no_energy'
            else 'stopped: ' || stop_reason
        end as failure_reason,

        -- measures
        energy_kwh,
        max_power_kw,
        soc_start_pct,
        soc_end_pct,
        readings,
        register_resets,
        first_register_wh,
        last_register_wh,

        -- flags
        has_start,
        has_stop,
        starts_with_token
    from judged

)

select * from final
