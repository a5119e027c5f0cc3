with

loads as (

    select * from {{ ref('int_hourly_loads__residential') }}

),

-- All profiles are summed in one pass over the loads, by the hour on the clock; only the few hours are then placed in
-- UTC and turned into rows.
clock_hours as (

    select
        {%- for profile in load_profiles() %}
        sum({{ profile.name }}_kwh) as {{ profile.name }}_kwh,
        count(case when {{ profile.name }}_kwh > 0 then 1 end) as {{ profile.name }}_sessions,
        {%- endfor %}
        load_started_local_at,
        hour_occurrence,
        fold_minutes
    from loads
    group by load_started_local_at, hour_occurrence, fold_minutes

),

hours as (

    select
        *,
        {{ load_instant(var('residential_timezone')) }} as load_started_at
    from clock_hours

),

profiles as (

    {% for profile in load_profiles() -%}
    select
        '{{ profile.name }}' as load_profile,
        load_started_at,
        load_started_local_at,
        {{ profile.name }}_kwh as energy_kwh,
        {{ profile.name }}_sessions as charging_sessions
    from hours
    where {{ profile.name }}_kwh is not null
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select
        -- keys
        load_profile,
        load_started_at,

        -- foreign keys
        cast(load_started_local_at as date) as date_key,

        -- attributes
        load_started_local_at,
        cast(extract(hour from load_started_local_at) as integer) as hour_of_day,

        -- measures
        cast(energy_kwh as decimal(18, 6)) as energy_kwh,
        cast(charging_sessions as integer) as charging_sessions
    from profiles

)

select * from final
