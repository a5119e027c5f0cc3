{% set user_hour_hash = row_hash(['user_id', 'load_started_local_at', 'hour_occurrence']) %}

with

hourly_load as (

    select * from {{ ref('hourly_load') }}

),

daily_load as (

    select * from {{ ref('daily_load') }}

),

loads as (

    select * from {{ ref('int_hourly_loads__residential') }}

),

-- What each user draws in each hour, over all of the user's sessions. Few users have two sessions in one hour: a hash finds
-- those hours, and only they have to be summed.
shared_hours as (

    select {{ user_hour_hash }} as user_hour_hash
    from loads
    group by user_hour_hash
    having count(*) > 1

),

user_hours as (

    select
        {%- for profile in load_profiles() %}
        {{ profile.name }}_kwh,
        {%- endfor %}
        user_id
    from loads
    where {{ user_hour_hash }} not in (select user_hour_hash from shared_hours)

    union all

    select
        {%- for profile in load_profiles() %}
        sum({{ profile.name }}_kwh) as {{ profile.name }}_kwh,
        {%- endfor %}
        user_id
    from loads
    where {{ user_hour_hash }} in (select user_hour_hash from shared_hours)
    group by user_id, load_started_local_at, hour_occurrence

),

user_peaks as (

    select
        {%- for profile in load_profiles() %}
        max({{ profile.name }}_kwh) as {{ profile.name }}_kwh,
        {%- endfor %}
        user_id
    from user_hours
    group by user_id

),

sessions as (

    select
        {%- for profile in load_profiles() %}
        bool_or({{ profile.name }}_kwh > 0) as has_{{ profile.name }},
        {%- endfor %}
        session_id
    from loads
    group by session_id

),

session_counts as (

    select
        {%- for profile in load_profiles() %}
        count(case when has_{{ profile.name }} then 1 end) as {{ profile.name }}_sessions,
        {%- endfor %}
        count(*) as all_sessions
    from sessions

),

participation as (

    {% for profile in load_profiles() -%}
    select
        '{{ profile.name }}' as load_profile,
        count(case when user_peaks.{{ profile.name }}_kwh > 0 then user_peaks.user_id end) as users,
        any_value(session_counts.{{ profile.name }}_sessions) as charging_sessions,
        sum(user_peaks.{{ profile.name }}_kwh) as sum_of_user_peaks_kwh
    from user_peaks
    cross join session_counts
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

last_days as (

    select
        load_profile,
        max(date_key) as last_date
    from daily_load
    group by load_profile

),

daily as (

    select
        daily_load.load_profile,
        min(date_key) as first_date,
        max(date_key) as last_date,
        count(*) as days,
        sum(energy_kwh) as total_energy_kwh,
        max(energy_kwh) as peak_daily_energy_kwh,
        max(case when is_peak_day then date_key end) as peak_date,
        sum(active_hours) as active_hours,
        sum(hours_in_day) as hours,
        sum(case when date_key > last_days.last_date - interval 7 day then energy_kwh end) as last_7_days_kwh
    from daily_load
    inner join last_days
        on daily_load.load_profile = last_days.load_profile
    group by daily_load.load_profile

),

peak_hours as (

    select
        load_profile,
        energy_kwh as peak_hourly_load_kwh,
        load_started_local_at as peak_hour_local_at
    from hourly_load
    qualify row_number() over (partition by load_profile order by energy_kwh desc, load_started_at) = 1

),

final as (

    select
        -- keys
        daily.load_profile,

        -- attributes
        daily.first_date,
        daily.last_date,
        cast(daily.days as integer) as days,
        cast(coalesce(participation.users, 0) as integer) as users,
        cast(coalesce(participation.charging_sessions, 0) as integer) as charging_sessions,

        -- measures
        cast(daily.total_energy_kwh as decimal(18, 6)) as total_energy_kwh,
        cast(daily.total_energy_kwh as double) / daily.days as avg_daily_energy_kwh,
        cast(daily.last_7_days_kwh as double) / 7 as avg_daily_energy_last_7_days_kwh,
        cast(daily.peak_daily_energy_kwh as decimal(18, 6)) as peak_daily_energy_kwh,
        daily.peak_date,
        cast(peak_hours.peak_hourly_load_kwh as decimal(18, 6)) as peak_hourly_load_kwh,
        peak_hours.peak_hour_local_at,
        cast(daily.active_hours as double) / daily.days as avg_active_charging_hours_per_day,
        cast(daily.active_hours as double) / daily.hours as utilization,
        case
            when peak_hours.peak_hourly_load_kwh > 0
                then cast(daily.total_energy_kwh as double) / daily.hours / cast(peak_hours.peak_hourly_load_kwh as double)
        end as load_factor,
        case
            when participation.sum_of_user_peaks_kwh > 0
                then
                    cast(peak_hours.peak_hourly_load_kwh as double)
                    / cast(participation.sum_of_user_peaks_kwh as double)
        end as coincidence_factor
    from daily
    inner join peak_hours
        on daily.load_profile = peak_hours.load_profile
    left join participation
        on daily.load_profile = participation.load_profile

)

select * from final
