with

drives as (

    select
        {{ month_of('started_local_at') }} as month,
        cast(coalesce(kwh_per_100km, soc_kwh_per_100km) as double) as consumption
    from {{ ref('fct_drives') }}
    where distance_km >= {{ var('telematics_min_consumption_km') }}

),

final as (

    select
        -- keys
        month,

        -- measures
        count(consumption) as drives,
        {{ value_at(percentiles('consumption', [100 * (1 - var('telematics_hungry_share'))]), 1) }} as hungry_kwh_per_100km
    from drives
    group by month

)

select * from final
