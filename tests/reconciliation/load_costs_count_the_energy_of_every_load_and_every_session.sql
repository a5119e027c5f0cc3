with

hourly as (

    select
        load_profile,
        sum(energy_kwh) as energy_kwh,
        sum(charging_sessions) as loads
    from {{ ref('hourly_load') }}
    group by load_profile

),

sessions as (

    select
        count(*) as charging_sessions,
        coalesce(sum(energy_kwh), 0) as energy_kwh
    from {{ ref('fct_charging_sessions') }}
    where source_system = 'residential'

),

costs as (

    select
        load_profile,
        sum(energy_kwh) as energy_kwh,
        sum(priced_energy_kwh + unpriced_energy_kwh) as load_parts_kwh,
        sum(loads) as loads,
        sum(charging_sessions) as charging_sessions,
        sum(session_energy_kwh) as session_energy_kwh,
        sum(
            shiftable_energy_kwh + unfitting_energy_kwh + open_energy_kwh + unpriced_session_energy_kwh
        ) as session_parts_kwh
    from {{ ref('load_costs') }}
    group by load_profile

),

profiles as (

    {% for profile in charging_profiles() -%}
    select '{{ profile.name }}' as load_profile
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

compared as (

    select
        profiles.load_profile,
        coalesce(hourly.energy_kwh, 0) as hourly_kwh,
        coalesce(costs.energy_kwh, 0) as costs_kwh,
        coalesce(costs.load_parts_kwh, 0) as costs_load_parts_kwh,
        coalesce(hourly.loads, 0) as hourly_loads,
        coalesce(costs.loads, 0) as costs_loads,
        sessions.charging_sessions as sessions,
        coalesce(costs.charging_sessions, 0) as costs_sessions,
        sessions.energy_kwh as sessions_kwh,
        coalesce(costs.session_energy_kwh, 0) as costs_sessions_kwh,
        coalesce(costs.session_parts_kwh, 0) as costs_session_parts_kwh
    from profiles
    cross join sessions
    left join hourly
        on profiles.load_profile = hourly.load_profile
    left join costs
        on profiles.load_profile = costs.load_profile

)

select *
from compared
where
    hourly_kwh <> costs_kwh
    or hourly_kwh <> costs_load_parts_kwh
    or hourly_loads <> costs_loads
    or sessions <> costs_sessions
    or sessions_kwh <> costs_sessions_kwh
    or sessions_kwh <> costs_session_parts_kwh
