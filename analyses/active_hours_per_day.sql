-- Question: for how many hours of a day does anybody charge?
-- Who asks: operations, to find hours for maintenance and to judge how evenly the chargers are used.
-- How to read: one row per load profile and weekday; `share_of_hours` is active hours / real hours, also where the clock
-- is changed. A day without charging counts as 0 hours. Profiles at 3.6 kW have more active hours for the same energy.
with

daily_load as (

    select * from {{ ref('daily_load') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

final as (

    select
        -- keys
        daily_load.load_profile,
        dates.iso_weekday,

        -- attributes
        dates.weekday_name,

        -- measures
        count(*) as days,
        count(case when daily_load.active_hours = 0 then 1 end) as days_without_charging,
        min(daily_load.active_hours) as fewest_active_hours,
        max(daily_load.active_hours) as most_active_hours,
        cast(sum(daily_load.active_hours) as double) / count(*) as mean_active_hours,
        cast(sum(daily_load.active_hours) as double) / sum(daily_load.hours_in_day) as share_of_hours
    from daily_load
    inner join dates
        on daily_load.date_key = dates.date_key
    group by daily_load.load_profile, dates.iso_weekday, dates.weekday_name
    order by daily_load.load_profile, dates.iso_weekday

)

select * from final
