{% set low_price_hours = var('low_price_hours_per_day') %}

with

hours as (

    select
        *,
        {{ hours_in_day_by('local_date', 'time_zone') }} as hours_in_day
    from {{ ref('int_price_hours') }}

),

ranked as (

    select
        *,
        hours_in_day - count(price_eur_per_mwh) over (partition by price_zone, local_date) as missing_hours,
        case
            when price_eur_per_mwh is not null
                then row_number() over (
                    partition by price_zone, local_date
                    order by price_eur_per_mwh nulls last, hour_started_at
                )
        end as price_rank
    from hours

),

final as (

    select
        -- keys
        price_zone,
        hour_started_at,

        -- foreign keys
        local_date as date_key,

        -- attributes
        hour_started_local_at,

        -- measures
        price_eur_per_mwh,
        cast(price_rank as integer) as price_rank,
        cast(missing_hours as integer) as missing_hours,

        -- flags
        -- every missing hour might have been cheaper
        case
            when price_rank + missing_hours <= {{ low_price_hours }} then true
            when price_rank > {{ low_price_hours }} then false
        end as is_low_price_hour
    from ranked

)

select * from final
