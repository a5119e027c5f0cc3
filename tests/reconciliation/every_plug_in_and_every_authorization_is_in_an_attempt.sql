with

attempts as (

    select * from {{ ref('int_network__attempts') }}

),

unused_plug_ins as (

    select plug_ins.*
    from {{ ref('int_network__plug_ins') }} as plug_ins
    left join {{ ref('int_network__sessions_rebuilt') }} as sessions
        on
            plug_ins.charger_id = sessions.charger_id
            and plug_ins.evse_id = sessions.evse_id
            and plug_ins.plugged_in_at = sessions.plugged_in_at
    where sessions.charger_id is null

),

left_out as (

    select 'plug_in/' || unused_plug_ins.charger_id || '/' || unused_plug_ins.evse_id as event
    from unused_plug_ins
    left join attempts
        on
            unused_plug_ins.charger_id = attempts.charger_id
            and unused_plug_ins.evse_id = attempts.evse_id
            and attempts.transaction_id is null
            and unused_plug_ins.plugged_in_at >= attempts.started_at
            and unused_plug_ins.plugged_out_at is not distinct from attempts.ended_at
    where attempts.attempt_id is null

    union all

    select authorizations.authorization_id as event
    from {{ ref('int_network__authorizations') }} as authorizations
    left join attempts
        on
            coalesce(
                'transaction/' || authorizations.charger_id || '/' || authorizations.transaction_id,
                authorizations.authorization_id
            ) = attempts.attempt_id
    where attempts.attempt_id is null

)

select * from left_out
