-- Question: how many sessions, and how much energy, carry a flag that a reader should know of?
-- Who asks: analysts who decide which sessions to leave out of a figure.
-- How to read: per source one row per flag, then `any_flag`: a session can carry several, so the shares of the flags do not
-- add up to it. Flagged sessions are in every mart; a flag with much energy deserves a second look at the feed. A station
-- is missed only in a source that names stations, as the feeds of experiments don't.
{% set conditions = {
    'open_session': "outcome = 'open'",
    'ambiguous_time': 'is_ambiguous_time',
    'duration_conflict': 'has_duration_conflict',
    'over_long': 'is_over_long',
    'no_energy': 'has_no_energy',
    'overlapping': 'is_overlapping',
    'unknown_user': 'is_unknown_user',
    'unknown_station': 'is_unknown_station',
} %}

with

sessions as (

    select * from {{ ref('fct_charging_sessions') }}

),

users as (

    select * from {{ ref('dim_user') }}

),

stations as (

    select * from {{ ref('dim_station') }}

),

named as (

    select
        sessions.*,
        users.source_system = 'unknown' as is_unknown_user,
        stations.source_system = 'unknown'
        and max(case when stations.source_system = 'unknown' then 0 else 1 end) over (partition by sessions.source_system) = 1
            as is_unknown_station
    from sessions
    inner join users
        on sessions.user_key = users.user_key
    inner join stations
        on sessions.station_key = stations.station_key

),

flags as (

    {% for flag, condition in conditions.items() -%}
    select
        {{ loop.index }} as flag_number,
        '{{ flag }}' as flag,
        source_system,
        energy_kwh,
        {{ condition }} as is_flagged
    from named

    union all

    {% endfor -%}
    select
        {{ conditions | length + 1 }} as flag_number,
        'any_flag' as flag,
        source_system,
        energy_kwh,
        {{ conditions.values() | join(' or ') }} as is_flagged
    from named

),

final as (

    select
        -- keys
        source_system,
        flag,

        -- measures
        count(case when is_flagged then 1 end) as flagged_sessions,
        count(*) as charging_sessions,
        cast(count(case when is_flagged then 1 end) as double) / count(*) as share_of_sessions,
        coalesce(sum(case when is_flagged then energy_kwh end), 0) as flagged_energy_kwh,
        cast(coalesce(sum(case when is_flagged then energy_kwh end), 0) as double)
        / nullif(cast(sum(energy_kwh) as double), 0) as share_of_energy
    from flags
    group by source_system, flag_number, flag
    order by source_system, flag_number

)

select * from final
