with

contributions as (

    select * from {{ ref('int_extracts__drive_contributions') }}

),

cells as (

    select * from {{ ref('int_extracts__drive_cells') }}
    where hidden_reason is null

),

measured as (

    select
        contributions.drive_date,
        contributions.day_period,
        median(contributions.distance_km) as distance_km,
        median(contributions.duration_minutes) as duration_minutes,
        avg(contributions.long_share) as long_share,
        cells.has_some_long_share,
        cells.has_rest_long_share
    from contributions
    inner join cells
        on
            contributions.drive_date = cells.drive_date
            and contributions.day_period = cells.day_period
    group by contributions.drive_date, contributions.day_period, cells.has_some_long_share, cells.has_rest_long_share

),

final as (

    select
        -- keys
        {{ month_of('drive_date') }} as month,
        drive_date,
        cast(extract(isodow from drive_date) as integer) as weekday,
        day_period,

        -- measures
        cast({{ rounded_to('distance_km', var('extract_distance_step_km')) }} as integer) as median_distance_km,
        cast({{ rounded_to('duration_minutes', var('extract_duration_step_minutes')) }} as integer) as median_duration_minutes,
        cast({{ rounded_share('long_share', 'has_some_long_share', 'has_rest_long_share') }} as integer) as long_drives_share_pct
    from measured

)

select * from final
