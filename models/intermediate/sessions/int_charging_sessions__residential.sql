{% set time_zone = var('residential_timezone') %}

with

reports as (

    select * from {{ ref('stg_residential__charging_reports') }}

),

-- In the repeated autumn hour a stamp has two instants. Every pair of instants that a report can mean is a candidate.
candidates as (

    select
        reports.*,
        choice.plug_in_is_later,
        choice.plug_out_is_later,
        coalesce(
            reports.delivered_plugged_in_at,
            {{ to_utc('reports.plugged_in_local_at', time_zone) }}
            - interval 1 minute * (1 - choice.plug_in_is_later) * coalesce(reports.plugged_in_fold_minutes, 0)
        ) as plugged_in_at,
        coalesce(
            reports.delivered_plugged_out_at,
            {{ to_utc('reports.plugged_out_local_at', time_zone) }}
            - interval 1 minute * (1 - choice.plug_out_is_later) * coalesce(reports.plugged_out_fold_minutes, 0)
        ) as plugged_out_at
    from reports
    inner join (values (0, 0), (0, 1), (1, 0), (1, 1)) as choice (plug_in_is_later, plug_out_is_later)
        on
            (choice.plug_in_is_later = 0 or reports.plugged_in_fold_minutes is not null)
            and (choice.plug_out_is_later = 0 or reports.plugged_out_fold_minutes is not null)

),

measured as (

    select
        *,
        cast({{ minutes_between('plugged_in_at', 'plugged_out_at') }} as decimal(18, 6)) as connected_minutes,
        cast(cast(reported_hours as decimal(28, 9)) * 60 as decimal(18, 6)) as reported_minutes
    from candidates

),

-- A candidate is possible if it ends after it starts and, where a duration is reported, agrees with that.
weighed as (

    select
        *,
        abs(connected_minutes - reported_minutes) > {{ var('duration_tolerance_minutes') }} as contradicts_duration,
        coalesce(
            connected_minutes >= 0
            and coalesce(abs(connected_minutes - reported_minutes) <= {{ var('duration_tolerance_minutes') }}, true),
            plugged_out_at is null
        ) as is_possible
    from measured

),

-- Where none or several are possible the report proves nothing: the earlier instants are taken that don't end before they
-- start, and the flag says so.
resolved as (

    select
        *,
        sum(cast(is_possible as integer)) over (partition by session_id) as possible_candidates,
        count(*) over (partition by session_id) as all_candidates
    from weighed
    qualify
        row_number() over (
            partition by session_id
            order by is_possible desc, connected_minutes < 0, plug_in_is_later, plug_out_is_later
        ) = 1

),

-- Sessions on one charge point never overlap; where they do, both stay and carry the flag.
spans as (

    select
        *,
        {{ residential_station_key() }} as station_key
    from resolved

),

neighbours as (

    select
        *,
        max(plugged_out_at) over (
            partition by station_key
            order by plugged_in_at, plugged_out_at, session_id
            rows between unbounded preceding and 1 preceding
        ) as latest_plug_out_before,
        lead(plugged_in_at) over (
            partition by station_key
            order by plugged_in_at, plugged_out_at, session_id
        ) as next_plug_in
    from spans

),

final as (

    select
        -- keys
        {{ surrogate_key(["'residential'", 'session_id']) }} as session_key,
        'residential' as source_system,
        session_id,

        -- foreign keys
        coalesce({{ surrogate_key(["'residential'", 'user_id']) }}, {{ unknown_key() }}) as user_key,
        {{ unknown_key() }} as vehicle_key,
        -- a charge point has one port, so both have the same key
        coalesce(station_key, {{ unknown_key() }}) as station_key,
        coalesce(station_key, {{ unknown_key() }}) as port_key,
        cast(plugged_in_local_at as date) as date_key,
        {{ time_key('plugged_in_local_at') }} as time_key,

        -- attributes
        plugged_in_at,
        plugged_out_at,
        cast(null as timestamp) as charging_started_at,
        cast(null as timestamp) as charging_ended_at,
        plugged_in_local_at,
        plugged_out_local_at,
        '{{ time_zone }}' as site_timezone,

        -- measures
        connected_minutes,
        reported_minutes,
        cast(null as decimal(18, 6)) as charging_minutes,
        cast(null as decimal(18, 6)) as idle_minutes,
        energy_kwh,
        cast(null as decimal(18, 6)) as exported_kwh,
        cast(null as decimal(18, 6)) as mean_power_kw,
        cast(null as decimal(18, 6)) as max_power_kw,
        cast(null as decimal(9, 4)) as soc_start_pct,
        cast(null as decimal(9, 4)) as soc_end_pct,
        case
            when plugged_out_at is null then 'open'
            when energy_kwh > 0 then 'succeeded'
            else 'unknown'
        end as outcome,
        cast(null as varchar) as failure_reason,

        -- flags
        coalesce(all_candidates > 1 and possible_candidates <> 1, false) as is_ambiguous_time,
        coalesce(contradicts_duration, false) as has_duration_conflict,
        coalesce(connected_minutes > 24 * 60 * {{ var('max_session_days') }}, false) as is_over_long,
        coalesce(energy_kwh = 0 and connected_minutes > 0, false) as has_no_energy,
        coalesce(
            station_key is not null
            and (latest_plug_out_before > plugged_in_at or plugged_out_at > next_plug_in),
            false
        ) as is_overlapping
    from neighbours

)

select * from final
