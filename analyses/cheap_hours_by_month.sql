-- Question: at which hours is electricity cheap or even negative, and does that change over the year?
-- Who asks: product people who set the hours of smart charging, and drivers who set a timer.
-- How to read: one row per price zone, month and hour of the day on the zone's clock. `low_price_share` is the share of the
-- hour's known minutes that lie in low-price hours of their day: where it is near 1, a fixed timer does; where it is spread
-- over the day, only prices tell. `negative_share` is the share of the priced minutes with a price below zero.
with

prices as (

    select * from {{ ref('fct_electricity_prices') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

times as (

    select * from {{ ref('dim_time') }}

),

hours as (

    select
        prices.price_zone,
        dates.month_start_date,
        times.hour_of_day,
        sum(case when prices.price_eur_per_mwh is not null then prices.minutes else 0 end) as priced_minutes,
        sum(prices.price_eur_per_mwh * prices.minutes) as price_minutes,
        sum(case when prices.is_negative_price then prices.minutes else 0 end) as negative_minutes,
        sum(case when prices.is_low_price_hour is not null then prices.minutes else 0 end) as known_minutes,
        sum(case when prices.is_low_price_hour then prices.minutes else 0 end) as low_price_minutes,
        sum(case when prices.gco2_per_kwh is not null then prices.minutes else 0 end) as carbon_minutes,
        sum(prices.gco2_per_kwh * prices.minutes) as gco2_minutes
    from prices
    inner join dates
        on prices.date_key = dates.date_key
    inner join times
        on prices.time_key = times.time_key
    group by prices.price_zone, dates.month_start_date, times.hour_of_day

),

final as (

    select
        -- keys
        price_zone,
        month_start_date,
        hour_of_day,

        -- measures
        cast(price_minutes as double) / nullif(priced_minutes, 0) as mean_price_eur_per_mwh,
        cast(low_price_minutes as double) / nullif(known_minutes, 0) as low_price_share,
        cast(negative_minutes as double) / nullif(priced_minutes, 0) as negative_share,
        cast(gco2_minutes as double) / nullif(carbon_minutes, 0) as mean_gco2_per_kwh
    from hours
    order by price_zone, month_start_date, hour_of_day

)

select * from final
