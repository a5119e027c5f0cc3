{{ config(severity='warn') }}

with

loads as (

    select
        session_key,
        max(load_started_at) as last_load_started_at,
        bool_or(is_ambiguous_time) as is_ambiguous_time,
        coalesce(sum(synthetic_3_6_kwh), 0) as synthetic_3_6_kwh,
        coalesce(sum(synthetic_7_2_kwh), 0) as synthetic_7_2_kwh
    from {{ ref('fct_hourly_loads') }}
    where has_charging_session
    group by session_key

),

-- The second of the two hours that show the same time in autumn.
second_hours as (

    select {{ to_utc('local_hour_at', var('residential_timezone')) }} as second_hour_at
    from (select unnest({{ fold_hours(var('residential_timezone')) }}) as local_hour_at)

),

-- A session that crosses both can have lost the energy of one of them.
sessions as (

    select
        sessions.session_id,
        sessions.energy_kwh,
        loads.synthetic_3_6_kwh,
        loads.synthetic_7_2_kwh,
        count(second_hours.second_hour_at) as hours_delivered_once
    from {{ ref('fct_charging_sessions') }} as sessions
    inner join loads
        on sessions.session_key = loads.session_key
    left join second_hours
        on
            sessions.plugged_in_at < second_hours.second_hour_at
            and loads.last_load_started_at >= second_hours.second_hour_at
    where
        not sessions.is_ambiguous_time
        and not sessions.has_duration_conflict
        and not loads.is_ambiguous_time
    group by all

)

select *
from sessions
where
    energy_kwh - synthetic_3_6_kwh not between -0.01 and 0.01 + 3.6 * hours_delivered_once
    or energy_kwh - synthetic_7_2_kwh not between -0.01 and 0.01 + 7.2 * hours_delivered_once
