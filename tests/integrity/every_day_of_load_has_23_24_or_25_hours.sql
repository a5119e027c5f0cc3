with

hours as (

    select
        load_profile,
        date_key,
        count(*) as hours_with_data
    from {{ ref('hourly_load') }}
    group by load_profile, date_key

)

select
    daily_load.load_profile,
    daily_load.date_key,
    daily_load.hours_in_day,
    hours.hours_with_data
from {{ ref('daily_load') }} as daily_load
left join hours
    on
        daily_load.load_profile = hours.load_profile
        and daily_load.date_key = hours.date_key
where
    daily_load.hours_in_day not in (23, 24, 25)
    or hours.hours_with_data > daily_load.hours_in_day
