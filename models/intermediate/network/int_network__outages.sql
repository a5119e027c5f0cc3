with

down as (

    select * from {{ ref('int_network__port_states') }}
    where not is_up

),

windows as (

    select * from {{ ref('int_network__port_windows') }}

),

outages as (

    select *
    from {{ merged_spans('down', ['charger_id', 'evse_id'], {
        'is_faulted': 'max(is_faulted)',
        'is_offline': 'max(not is_online)',
        'is_unavailable': 'max(is_unavailable)',
    }) }}

),

final as (

    select
        -- keys
        windows.port_key,
        outages.started_at,

        -- attributes
        outages.charger_id,
        outages.evse_id,
        outages.ended_at,
        {{ down_causes('outages.is_faulted', 'outages.is_offline', 'outages.is_unavailable') }} as causes
    from outages
    inner join windows
        on
            outages.charger_id = windows.charger_id
            and outages.evse_id = windows.evse_id

)

select * from final
