with

prices as (

    select * from {{ ref('stg_market__prices') }}

),

zones as (

    select * from {{ ref('price_zones') }}

),

placed as (

    select
        prices.*,
        coalesce(zones.time_zone, 'UTC') as time_zone,
        zones.price_zone is not null as has_known_zone,
        prices.starts_at + prices.minutes * interval 1 minute as delivered_ends_at,
        lead(prices.starts_at) over (partition by prices.price_zone order by prices.starts_at) as next_starts_at
    from prices
    left join zones
        on prices.price_zone = zones.price_zone

),

-- A price holds until the next one of its zone begins: no minute has two prices.
spans as (

    select
        *,
        coalesce(least(delivered_ends_at, next_starts_at), delivered_ends_at) as ends_at,
        coalesce(next_starts_at < delivered_ends_at, false) as is_cut_short,
        {{ to_local_by('starts_at', 'time_zone') }} as starts_local_at
    from placed

),

measured as (

    select
        *,
        cast({{ minutes_between('starts_at', 'ends_at') }} as integer) as minutes_in_effect
    from spans

),

weighed as (

    select
        *,
        case when price_eur_per_mwh is not null then minutes_in_effect else 0 end as priced_minutes,
        coalesce(price_eur_per_mwh, 0) * minutes_in_effect as price_minutes,
        case when gco2_per_kwh is not null then minutes_in_effect else 0 end as carbon_minutes,
        coalesce(gco2_per_kwh, 0) * minutes_in_effect as gco2_minutes
    from measured

),

final as (

    select
        -- keys
        price_zone,
        starts_at,

        -- attributes
        ends_at,
        starts_local_at,
        time_zone,

        -- measures
        minutes_in_effect as minutes,
        price_eur_per_mwh,
        gco2_per_kwh,
        {%- for integral, type in {
            'price_minutes': 'decimal(28, 4)',
            'priced_minutes': 'bigint',
            'gco2_minutes': 'decimal(28, 4)',
            'carbon_minutes': 'bigint',
        }.items() %}
        cast(coalesce(sum({{ integral }}) over earlier_intervals, 0) as {{ type }}) as {{ integral }}_before,
        {%- endfor %}

        -- flags
        has_known_zone,
        is_cut_short
    from weighed
    window earlier_intervals as (
        partition by price_zone
        order by starts_at
        rows between unbounded preceding and 1 preceding
    )

)

select * from final
