{% set limit_kwh = var('battery_tolerance') * var('max_battery_kwh') %}
{% set connected_minutes = minutes_between('plugged_in_at', 'plugged_out_at') %}
{% set charging_minutes = minutes_between('charging_started_at', 'charging_ended_at') %}

with

rebuilt as (

    select * from {{ ref('int_network__sessions_rebuilt') }}

),

listed as (

    select * from {{ ref('stg_network__charging_sessions') }}

),

matches as (

    select * from {{ ref('int_network__session_matches') }}

),

stations as (

    select * from {{ ref('stg_network__stations') }}

),

ports as (

    select * from {{ ref('stg_network__ports') }}

),

sessions as (

    select
        {{ surrogate_key(["'network'", "'messages'", 'charger_id', 'transaction_id']) }} as session_key,
        {{ path_of(['charger_id', 'transaction_id']) }} as session_id,
        charger_id as station_id,
        evse_id,
        id_token,
        plugged_in_at,
        plugged_out_at,
        -- the state Charging can be told before the plug-in
        case when power_started_at is not null then greatest(power_started_at, plugged_in_at) end as charging_started_at,
        case
            when ended_at is not null and power_started_at <= least(ended_at, plugged_out_at)
                then least(ended_at, plugged_out_at)
        end as charging_ended_at,
        case when energy_kwh <= {{ limit_kwh }} then energy_kwh end as energy_kwh,
        max_power_kw,
        soc_start_pct,
        soc_end_pct,
        outcome,
        failure_reason
    from rebuilt

    union all

    -- what the messages tell as well is told by them
    select
        {{ surrogate_key(["'network'", "'list'", 'listed.session_id']) }} as session_key,
        listed.session_id,
        listed.station_id,
        cast(null as integer) as evse_id,
        cast(null as varchar) as id_token,
        listed.started_at as plugged_in_at,
        listed.ended_at as plugged_out_at,
        cast(null as timestamp) as charging_started_at,
        cast(null as timestamp) as charging_ended_at,
        listed.energy_kwh,
        cast(null as decimal(18, 6)) as max_power_kw,
        cast(null as decimal(9, 4)) as soc_start_pct,
        cast(null as decimal(9, 4)) as soc_end_pct,
        case
            when listed.ended_at is null then 'open'
            when listed.has_succeeded is null then 'unknown'
            when listed.has_succeeded and coalesce(listed.energy_kwh <> 0, true) then 'succeeded'
            else 'failed'
        end as outcome,
        case
            when listed.ended_at is null or listed.has_succeeded is null then null
            when listed.energy_kwh = 0 then 'no_energy'
            when not listed.has_succeeded then 'reported'
        end as failure_reason
    from listed
    left join matches
        on listed.session_id = matches.session_id
    where matches.session_id is null

),

placed as (

    select
        sessions.*,
        stations.station_id is not null as is_listed_station,
        ports.station_id is not null as is_listed_port,
        coalesce(ports.port_timezone, stations.site_timezone, '{{ var("network_timezone") }}') as site_timezone,
        cast({{ connected_minutes }} as decimal(18, 6)) as connected_minutes,
        cast({{ charging_minutes }} as decimal(18, 6)) as charging_minutes
    from sessions
    left join stations
        on sessions.station_id = stations.station_id
    left join ports
        on
            sessions.station_id = ports.station_id
            and sessions.evse_id = ports.evse_id

),

quarters as (

    select
        site_timezone,
        quarter_at,
        {{ to_local_by('quarter_at', 'site_timezone') }} as quarter_local_at
    from (
        select
            site_timezone,
            {{ quarter_start('plugged_in_at') }} as quarter_at
        from placed

        union

        select
            site_timezone,
            {{ quarter_start('plugged_out_at') }} as quarter_at
        from placed
    )

),

localized as (

    select
        placed.*,
        plug_ins.quarter_local_at + (placed.plugged_in_at - plug_ins.quarter_at) as plugged_in_local_at,
        plug_outs.quarter_local_at + (placed.plugged_out_at - plug_outs.quarter_at) as plugged_out_local_at
    from placed
    inner join quarters as plug_ins
        on
            placed.site_timezone = plug_ins.site_timezone
            and {{ quarter_start('placed.plugged_in_at') }} = plug_ins.quarter_at
    left join quarters as plug_outs
        on
            placed.site_timezone = plug_outs.site_timezone
            and {{ quarter_start('placed.plugged_out_at') }} = plug_outs.quarter_at

),

neighbours as (

    select
        *,
        max(plugged_out_at) over (
            partition by station_id, evse_id
            order by plugged_in_at, plugged_out_at, session_id
            rows between unbounded preceding and 1 preceding
        ) as latest_plug_out_before,
        lead(plugged_in_at) over (
            partition by station_id, evse_id
            order by plugged_in_at, plugged_out_at, session_id
        ) as next_plug_in
    from localized

),

final as (

    select
        -- keys
        session_key,
        'network' as source_system,
        session_id,

        -- foreign keys
        coalesce({{ surrogate_key(["'network'", 'id_token']) }}, {{ unknown_key() }}) as user_key,
        {{ unknown_key() }} as vehicle_key,
        case
            when is_listed_station then {{ surrogate_key(["'network'", 'station_id']) }}
            else {{ unknown_key() }}
        end as station_key,
        case
            when is_listed_port then {{ surrogate_key(["'network'", 'station_id', 'evse_id']) }}
            else {{ unknown_key() }}
        end as port_key,
        cast(plugged_in_local_at as date) as date_key,
        {{ time_key('plugged_in_local_at') }} as time_key,

        -- attributes
        plugged_in_at,
        plugged_out_at,
        charging_started_at,
        charging_ended_at,
        plugged_in_local_at,
        plugged_out_local_at,
        site_timezone,

        -- measures
        connected_minutes,
        cast(null as decimal(18, 6)) as reported_minutes,
        charging_minutes,
        cast(connected_minutes - charging_minutes as decimal(18, 6)) as idle_minutes,
        energy_kwh,
        cast(null as decimal(18, 6)) as exported_kwh,
        cast(case when charging_minutes > 0 then energy_kwh * 60 / charging_minutes end as decimal(18, 6)) as mean_power_kw,
        max_power_kw,
        soc_start_pct,
        soc_end_pct,
        outcome,
        failure_reason,

        -- flags
        false as is_ambiguous_time,
        false as has_duration_conflict,
        coalesce(connected_minutes > 24 * 60 * {{ var('max_session_days') }}, false) as is_over_long,
        coalesce(energy_kwh = 0 and connected_minutes > 0, false) as has_no_energy,
        -- a listed session names no port that it could share
        coalesce(
            evse_id is not null
            and (latest_plug_out_before > plugged_in_at or plugged_out_at > next_plug_in),
            false
        ) as is_overlapping
    from neighbours

)

select * from final
