with

days as (

    {{ dbt.date_spine(
        datepart='day',
        start_date="cast(cast('" ~ var('earliest_date') ~ "' as date) - interval 1 day as date)",
        end_date="cast(cast('" ~ var('as_of') ~ "' as date) + interval 2 day as date)",
    ) }}

),

final as (

    select
        -- keys
        cast(date_day as date) as date_key,

        -- attributes
        cast(extract(year from date_day) as integer) as year_number,
        cast(extract(quarter from date_day) as integer) as quarter_number,
        cast(extract(month from date_day) as integer) as month_number,
        cast(date_trunc('month', date_day) as date) as month_start_date,
        cast(extract(week from date_day) as integer) as iso_week,
        cast(extract(isodow from date_day) as integer) as iso_weekday,
        dayname(date_day) as weekday_name,

        -- flags
        extract(isodow from date_day) >= 6 as is_weekend
    from days

)

select * from final
