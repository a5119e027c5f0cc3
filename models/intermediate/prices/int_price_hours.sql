with

intervals as (

    select * from {{ ref('int_prices__intervals') }}

),

-- The hour of the zone's clock in which an interval begins. An interval of up to 60 minutes reaches into the next one at
-- most: it does where the clock is half an hour apart from UTC.
parts as (

    select
        intervals.*,
        {{ local_hour_start('intervals.starts_at', 'intervals.starts_local_at') }}
        + part.hours_later * interval 1 hour as hour_started_at
    from intervals
    cross join (values (0), (1)) as part (hours_later)

),

measured as (

    select
        *,
        cast({{ minutes_between(
            'greatest(starts_at, hour_started_at)',
            'least(ends_at, hour_started_at + interval 1 hour)',
        ) }} as integer) as minutes_in_hour
    from parts
    where hour_started_at < ends_at

),

hours as (

    select
        price_zone,
        time_zone,
        hour_started_at,
        sum(price_eur_per_mwh * minutes_in_hour) as price_minutes,
        coalesce(sum(case when price_eur_per_mwh is not null then minutes_in_hour end), 0) as priced_minutes,
        sum(gco2_per_kwh * minutes_in_hour) as gco2_minutes,
        coalesce(sum(case when gco2_per_kwh is not null then minutes_in_hour end), 0) as carbon_minutes
    from measured
    group by price_zone, time_zone, hour_started_at

),

placed as (

    select
        *,
        {{ to_local_by('hour_started_at', 'time_zone') }} as hour_started_local_at
    from hours

),

final as (

    select
        -- keys
        price_zone,
        hour_started_at,

        -- attributes
        time_zone,
        hour_started_local_at,
        cast(hour_started_local_at as date) as local_date,

        -- measures
        cast(case when priced_minutes = 60 then price_minutes / 60 end as decimal(18, 6)) as price_eur_per_mwh,
        cast(case when carbon_minutes = 60 then gco2_minutes / 60 end as decimal(18, 6)) as gco2_per_kwh,
        cast(priced_minutes as integer) as priced_minutes
    from placed

)

select * from final
