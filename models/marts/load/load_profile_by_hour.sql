{% set time_zone = var('residential_timezone') %}

with

hourly_load as (

    select * from {{ ref('hourly_load') }}

),

daily_load as (

    select * from {{ ref('daily_load') }}

),

spans as (

    select
        load_profile,
        {{ to_utc('cast(min(date_key) as timestamp)', time_zone) }} as first_hour_at,
        {{ to_utc('cast(max(date_key) + interval 1 day as timestamp)', time_zone) }} - interval 1 hour as last_hour_at
    from daily_load
    group by load_profile

),

-- Real hours, one after the other: the day of 23 hours has none from two to three, that of 25 has it twice.
hours as (

    select
        load_profile,
        unnest(generate_series(first_hour_at, last_hour_at, interval 1 hour)) as load_started_at
    from spans

),

local_hours as (

    select
        load_profile,
        load_started_at,
        {{ to_local('load_started_at', time_zone) }} as load_started_local_at
    from hours

),

loads as (

    select
        local_hours.load_profile,
        cast(extract(isodow from local_hours.load_started_local_at) as integer) as iso_weekday,
        cast(extract(hour from local_hours.load_started_local_at) as integer) as hour_of_day,
        coalesce(hourly_load.energy_kwh, 0) as energy_kwh
    from local_hours
    left join hourly_load
        on
            local_hours.load_profile = hourly_load.load_profile
            and local_hours.load_started_at = hourly_load.load_started_at

),

final as (

    select
        -- keys
        load_profile,
        iso_weekday,
        hour_of_day,

        -- measures
        cast(count(*) as integer) as hours_observed,
        cast(sum(energy_kwh) as double) / count(*) as mean_load_kwh,
        cast(max(energy_kwh) as decimal(18, 6)) as max_load_kwh,
        cast(sum(energy_kwh) as decimal(18, 6)) as energy_kwh
    from loads
    group by load_profile, iso_weekday, hour_of_day

)

select * from final
