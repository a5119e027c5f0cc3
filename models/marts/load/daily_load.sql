{% set time_zone = var('residential_timezone') %}

with

hourly_load as (

    select * from {{ ref('hourly_load') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

days_with_data as (

    select
        load_profile,
        date_key,
        sum(energy_kwh) as energy_kwh,
        max(energy_kwh) as peak_hourly_load_kwh,
        count(case when energy_kwh > 0 then 1 end) as active_hours
    from hourly_load
    group by load_profile, date_key

),

spans as (

    select
        load_profile,
        min(date_key) as first_date,
        max(date_key) as last_date
    from days_with_data
    group by load_profile

),

-- A day without charging counts as zero, so every day from the first to the last is there.
calendar as (

    select
        spans.load_profile,
        dates.date_key,
        coalesce(days_with_data.energy_kwh, 0) as energy_kwh,
        coalesce(days_with_data.peak_hourly_load_kwh, 0) as peak_hourly_load_kwh,
        coalesce(days_with_data.active_hours, 0) as active_hours,
        days_with_data.date_key is not null as has_data
    from spans
    inner join dates
        on dates.date_key between spans.first_date and spans.last_date
    left join days_with_data
        on
            spans.load_profile = days_with_data.load_profile
            and dates.date_key = days_with_data.date_key

),

final as (

    select
        -- keys
        load_profile,
        date_key,

        -- attributes
        {{ hours_in_day_by('date_key', "'" ~ time_zone ~ "'") }} as hours_in_day,

        -- measures
        cast(energy_kwh as decimal(18, 6)) as energy_kwh,
        cast(peak_hourly_load_kwh as decimal(18, 6)) as peak_hourly_load_kwh,
        cast(active_hours as integer) as active_hours,
        cast(
            sum(energy_kwh) over (
                partition by load_profile
                order by date_key
                rows between 6 preceding and current row
            ) as double
        ) / count(*) over (
            partition by load_profile
            order by date_key
            rows between 6 preceding and current row
        ) as mean_energy_7_days_kwh,

        -- flags
        has_data,
        row_number() over (partition by load_profile order by energy_kwh desc, date_key) = 1 as is_peak_day
    from calendar

)

select * from final
