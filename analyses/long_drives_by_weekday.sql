-- Question: on which weekdays, and at which times of day, do vehicles drive far?
-- Who asks: planners of fast chargers along the road, and fleets that want to know when range matters.
-- How to read: one row per weekday (1 is Monday) and period of the day, in the order of the day. `long_share` is the part of
-- the drives that are long, `long_drives_per_day` how many there are on such a day, over all days between the first and the
-- last one. `hours_driven_share` is the part of all hours driven that lies in drives which begin there.
with

drives as (

    select * from {{ ref('drive_lengths_by_day') }}

),

covered as (

    select
        min(drive_date) as first_date,
        max(drive_date) as last_date
    from drives

),

weekdays as (

    select
        dates.iso_weekday,
        count(*) as days
    from {{ ref('dim_date') }} as dates
    inner join covered
        on dates.date_key between covered.first_date and covered.last_date
    group by dates.iso_weekday

),

summed as (

    select
        iso_weekday,
        day_period,
        first_hour,
        sum(drives) as drives,
        sum(long_drives) as long_drives,
        sum(duration_minutes) as duration_minutes
    from drives
    group by iso_weekday, day_period, first_hour

),

final as (

    select
        -- keys
        summed.iso_weekday,
        summed.first_hour,

        -- attributes
        summed.day_period,

        -- measures
        cast(summed.drives as integer) as drives,
        cast(summed.long_drives as integer) as long_drives,
        cast(summed.long_drives as double) / summed.drives as long_share,
        cast(summed.long_drives as double) / weekdays.days as long_drives_per_day,
        cast(summed.duration_minutes as double) / nullif(cast(sum(summed.duration_minutes) over () as double), 0)
            as hours_driven_share
    from summed
    inner join weekdays
        on summed.iso_weekday = weekdays.iso_weekday
    order by summed.iso_weekday, summed.first_hour

)

select * from final
