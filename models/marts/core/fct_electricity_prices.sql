with

intervals as (

    select * from {{ ref('int_prices__intervals') }}

),

low_price_hours as (

    select * from {{ ref('int_low_price_hours') }}

),

ranked as (

    select
        *,
        cast(starts_local_at as date) as local_date,
        {{ local_hour_start('starts_at', 'starts_local_at') }} as hour_started_at,
        row_number() over (
            partition by price_zone, cast(starts_local_at as date)
            order by price_eur_per_mwh nulls last, starts_at
        ) as price_rank
    from intervals

),

final as (

    select
        -- keys
        {{ surrogate_key(["'market'", 'ranked.price_zone', 'cast(ranked.starts_at as varchar)']) }} as price_key,

        -- foreign keys
        ranked.local_date as date_key,
        {{ time_key('ranked.starts_local_at') }} as time_key,

        -- attributes
        'market' as source_system,
        ranked.price_zone,
        ranked.starts_at,
        ranked.ends_at,
        ranked.starts_local_at,
        ranked.time_zone,

        -- measures
        ranked.minutes,
        ranked.price_eur_per_mwh,
        ranked.gco2_per_kwh,
        cast(case when ranked.price_eur_per_mwh is not null then ranked.price_rank end as integer) as price_rank,

        -- flags
        ranked.has_known_zone,
        ranked.price_eur_per_mwh < 0 as is_negative_price,
        ranked.is_cut_short,
        low_price_hours.is_low_price_hour
    from ranked
    left join low_price_hours
        on
            ranked.price_zone = low_price_hours.price_zone
            and ranked.hour_started_at = low_price_hours.hour_started_at

)

select * from final
