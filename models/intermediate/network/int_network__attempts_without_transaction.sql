{% set reach = "interval '" ~ var('network_authorize_seconds') ~ "' second" %}

with

sessions as (

    select * from {{ ref('int_network__sessions_rebuilt') }}

),

plug_ins as (

    select * from {{ ref('int_network__plug_ins') }}

),

unbound as (

    select * from {{ ref('int_network__authorizations') }}
    where transaction_id is null

),

-- The first transaction of a plug-in begins with it.
unused as (

    select plug_ins.*
    from plug_ins
    left join sessions
        on
            plug_ins.charger_id = sessions.charger_id
            and plug_ins.evse_id = sessions.evse_id
            and plug_ins.plugged_in_at = sessions.plugged_in_at
    where sessions.charger_id is null

),

last_unbound as (

    select max(requested_at) as requested_at
    from unbound

),

unused_days as (

    select
        unused.*,
        {{ each_day(
            'unused.plugged_in_at - ' ~ reach,
            'coalesce(unused.plugged_out_at, last_unbound.requested_at)',
        ) }} as day
    from unused
    cross join last_unbound

),

-- The vehicle that is plugged in, else the next one, is that of the driver who was authorised.
taken as (

    select
        unbound.authorization_id,
        unbound.requested_at,
        unused_days.charger_id,
        unused_days.evse_id,
        unused_days.plugged_in_at,
        unused_days.plugged_out_at
    from unbound
    inner join unused_days
        on
            unbound.charger_id = unused_days.charger_id
            and cast(unbound.requested_at as date) = unused_days.day
    where
        coalesce(unbound.evse_id, unused_days.evse_id) = unused_days.evse_id
        and unused_days.plugged_in_at <= unbound.requested_at + {{ reach }}
        and (unused_days.plugged_out_at is null or unused_days.plugged_out_at > unbound.requested_at)
    qualify row_number() over (
        partition by unbound.authorization_id
        order by
            unused_days.plugged_in_at > unbound.requested_at,
            abs({{ seconds_between('unused_days.plugged_in_at', 'unbound.requested_at') }}),
            unused_days.evse_id
    ) = 1

),

-- Of several tries in one plug-in each ends where the next begins.
tried as (

    select
        authorization_id,
        evse_id,
        case
            when lag(requested_at) over tries is null then least(plugged_in_at, requested_at)
            else requested_at
        end as started_at,
        coalesce(lead(requested_at) over tries, plugged_out_at) as ended_at
    from taken
    window tries as (
        partition by charger_id, evse_id, plugged_in_at
        order by requested_at, authorization_id
    )

),

authorized as (

    select
        unbound.authorization_id as attempt_id,
        unbound.charger_id,
        coalesce(tried.evse_id, unbound.evse_id) as evse_id,
        unbound.id_token,
        case when unbound.is_remote_start then 'remote_start' else 'authorize_first' end as attempt_mode,
        coalesce(tried.started_at, unbound.requested_at) as started_at,
        case when tried.authorization_id is null then unbound.requested_at else tried.ended_at end as ended_at,
        'failed' as outcome,
        case
            when {{ is_token_rejected('unbound.token_status') }} then 'authorization_rejected'
            else 'not_started'
        end as failure_reason
    from unbound
    left join tried
        on unbound.authorization_id = tried.authorization_id

),

plugged_in_only as (

    select
        'plug_in/' || {{ path_of(['unused.charger_id']) }} || '/' || unused.evse_id
        || '/' || replace(cast(unused.plugged_in_at as varchar), ' ', 'T') || 'Z' as attempt_id,
        unused.charger_id,
        unused.evse_id,
        cast(null as varchar) as id_token,
        'plug_in_first' as attempt_mode,
        unused.plugged_in_at as started_at,
        unused.plugged_out_at as ended_at,
        case when unused.plugged_out_at is null then 'open' else 'failed' end as outcome,
        case when unused.plugged_out_at is not null then 'not_started' end as failure_reason
    from unused
    left join taken
        on
            unused.charger_id = taken.charger_id
            and unused.evse_id = taken.evse_id
            and unused.plugged_in_at = taken.plugged_in_at
    where taken.authorization_id is null

),

final as (

    select * from authorized

    union all

    select * from plugged_in_only

)

select * from final
