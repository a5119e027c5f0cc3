{% set time_zone = var('residential_timezone') %}

with

hourly_load as (

    select * from {{ ref('hourly_load') }}

),

daily_load as (

    select * from {{ ref('daily_load') }}

),

hours as (

    select * from {{ ref('dim_time') }}
    where minute_of_hour = 0

),

-- Every hour that the clock shows from the first to the last day of a profile.
clock_hours as (

    select
        daily_load.load_profile,
        cast(extract(isodow from daily_load.date_key) as integer) as iso_weekday,
        hours.hour_of_day,
        cast(daily_load.date_key as timestamp) + hours.hour_of_day * interval 1 hour as local_hour_at
    from daily_load
    cross join hours

),

-- How often each really was: not at all where the clock skipped it, twice where it was set back.
observed as (

    select
        load_profile,
        iso_weekday,
        hour_of_day,
        sum(
            case
                when {{ is_in_gap('local_hour_at', time_zone) }} then 0
                when {{ fold_minutes('local_hour_at', time_zone) }} is not null then 2
                else 1
            end
        ) as hours_observed
    from clock_hours
    group by load_profile, iso_weekday, hour_of_day

),

loads as (

    select
        load_profile,
        cast(extract(isodow from load_started_local_at) as integer) as iso_weekday,
        hour_of_day,
        sum(energy_kwh) as energy_kwh,
        max(energy_kwh) as max_load_kwh
    from hourly_load
    group by load_profile, iso_weekday, hour_of_day

),

final as (

    select
        -- keys
        observed.load_profile,
        observed.iso_weekday,
        observed.hour_of_day,

        -- measures
        cast(observed.hours_observed as integer) as hours_observed,
        cast(coalesce(loads.energy_kwh, 0) as double) / observed.hours_observed as mean_load_kwh,
        cast(coalesce(loads.max_load_kwh, 0) as decimal(18, 6)) as max_load_kwh,
        cast(coalesce(loads.energy_kwh, 0) as decimal(18, 6)) as energy_kwh
    from observed
    left join loads
        on
            observed.load_profile = loads.load_profile
            and observed.iso_weekday = loads.iso_weekday
            and observed.hour_of_day = loads.hour_of_day
    where observed.hours_observed > 0

)

select * from final
