with

drives as (

    select
        vehicle_key,
        cast(started_local_at as date) as drive_date,
        {{ day_period('started_local_at') }} as day_period,
        distance_km,
        duration_minutes,
        is_long
    from {{ ref('fct_drives') }}

),

measured as (

    select
        drive_date,
        day_period,
        count(*) as drives,
        count(distinct vehicle_key) as vehicles,
        count(case when is_long then 1 end) as long_drives,
        sum(distance_km) as distance_km,
        sum(duration_minutes) as duration_minutes,
        {{ percentiles('cast(distance_km as double)', [50, 90]) }} as distances_km,
        {{ percentiles('cast(duration_minutes as double)', [50, 90]) }} as durations_minutes
    from drives
    group by drive_date, day_period

),

final as (

    select
        -- keys
        drive_date,
        day_period,

        -- attributes
        cast(extract(isodow from drive_date) as integer) as iso_weekday,
        {{ month_of('drive_date') }} as month,
        case day_period
            {%- for name, first_hour in var('telematics_day_periods').items() %}
            when '{{ name }}' then {{ first_hour }}
            {%- endfor %}
        end as first_hour,

        -- measures: counts
        drives,
        vehicles,
        long_drives,
        drives - long_drives as short_drives,

        -- measures: sums
        cast(distance_km as decimal(18, 6)) as distance_km,
        cast(duration_minutes as decimal(18, 6)) as duration_minutes,

        -- measures: of one drive
        cast(long_drives as double) / drives as long_share,
        {{ value_at('distances_km', 1) }} as median_distance_km,
        {{ value_at('distances_km', 2) }} as p90_distance_km,
        {{ value_at('durations_minutes', 1) }} as median_duration_minutes,
        {{ value_at('durations_minutes', 2) }} as p90_duration_minutes
    from measured

)

select * from final
