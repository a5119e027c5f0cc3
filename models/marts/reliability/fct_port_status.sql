with

states as (

    select * from {{ ref('int_network__port_states') }}

),

windows as (

    select * from {{ ref('int_network__port_windows') }}

),

final as (

    select
        -- keys
        {{ surrogate_key(["'network'", 'states.charger_id', 'states.evse_id', 'states.started_at']) }} as port_status_key,

        -- foreign keys
        windows.port_key,
        windows.station_key,

        -- attributes
        states.started_at,
        states.ended_at,
        states.status,
        {{ down_causes('states.is_faulted', 'not states.is_online', 'states.is_unavailable') }} as down_causes,

        -- measures
        cast({{ minutes_between('states.started_at', 'states.ended_at') }} as decimal(18, 6)) as minutes,

        -- flags
        states.is_online,
        states.is_up
    from states
    inner join windows
        on
            states.charger_id = windows.charger_id
            and states.evse_id = windows.evse_id

)

select * from final
