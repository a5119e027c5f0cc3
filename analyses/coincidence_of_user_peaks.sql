-- Question: how much of the sum of all users' own peaks does a grid connection have to carry at once?
-- Who asks: grid planners who size the connection of a garage before its users are known.
-- How to read: peak / sum of user peaks is the coincidence factor. A factor of 0.4 with 16 users says that 16 chargers of
-- 7.2 kW need 0.4 x 16 x 7.2 kW, not 16 x 7.2 kW. It falls with the number of users, so compare sites of a like size.
-- Loads without an accepted report have no site: they count in `all sites` and under the site `unknown`.
with

loads as (

    select * from {{ ref('fct_hourly_loads') }}

),

sessions as (

    select * from {{ ref('fct_charging_sessions') }}

),

stations as (

    select * from {{ ref('dim_station') }}

),

placed as (

    select
        loads.*,
        coalesce(stations.site_id, 'unknown') as own_site_id
    from loads
    left join sessions
        on loads.session_key = sessions.session_key
    left join stations
        on sessions.station_key = stations.station_key

),

scoped as (

    select
        'all sites' as scope,
        'all' as site_id,
        placed.*
    from placed

    union all

    select
        'site' as scope,
        own_site_id as site_id,
        placed.*
    from placed

),

user_hours as (

    {% for profile in load_profiles() -%}
    select
        scope,
        site_id,
        '{{ profile.name }}' as load_profile,
        user_key,
        load_started_at,
        sum({{ profile.name }}_kwh) as energy_kwh
    from scoped
    where {{ profile.name }}_kwh is not null
    group by scope, site_id, user_key, load_started_at
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

user_peaks as (

    select
        scope,
        site_id,
        load_profile,
        user_key,
        max(energy_kwh) as peak_kwh
    from user_hours
    group by scope, site_id, load_profile, user_key

),

sums_of_user_peaks as (

    select
        scope,
        site_id,
        load_profile,
        count(case when peak_kwh > 0 then 1 end) as users,
        sum(peak_kwh) as sum_of_user_peaks_kwh
    from user_peaks
    group by scope, site_id, load_profile

),

site_hours as (

    select
        scope,
        site_id,
        load_profile,
        load_started_at,
        sum(energy_kwh) as energy_kwh
    from user_hours
    group by scope, site_id, load_profile, load_started_at

),

site_peaks as (

    select
        scope,
        site_id,
        load_profile,
        max(energy_kwh) as peak_kwh
    from site_hours
    group by scope, site_id, load_profile

),

final as (

    select
        -- keys
        site_peaks.scope,
        site_peaks.site_id,
        site_peaks.load_profile,

        -- measures
        sums_of_user_peaks.users,
        site_peaks.peak_kwh,
        sums_of_user_peaks.sum_of_user_peaks_kwh,
        cast(site_peaks.peak_kwh as double) / nullif(cast(sums_of_user_peaks.sum_of_user_peaks_kwh as double), 0)
            as coincidence_factor,
        cast(site_peaks.peak_kwh as double) / nullif(sums_of_user_peaks.users, 0) as peak_per_user_kwh
    from site_peaks
    inner join sums_of_user_peaks
        on
            site_peaks.scope = sums_of_user_peaks.scope
            and site_peaks.site_id = sums_of_user_peaks.site_id
            and site_peaks.load_profile = sums_of_user_peaks.load_profile
    order by site_peaks.scope, site_peaks.site_id, site_peaks.load_profile

)

select * from final
