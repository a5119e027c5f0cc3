-- Question: which hours of a weekday and of a weekend day carry the load?
-- Who asks: pricing, to place the windows of a tariff.
-- How to read: per kind of day, hours are ranked by their mean load; `is_busy_hour` marks the fewest hours that together
-- carry half of the energy. A price window that misses them moves little. The profile is the project's default one,
-- charging from the plug-in on: what drivers do when nothing tells them to wait.
{% set busy_share = 0.5 %}

with

typical_week as (

    select * from {{ ref('load_profile_by_hour') }}
    where load_profile = '{{ var("default_load_profile") }}'

),

hours_of_the_week as (

    select
        *,
        case when iso_weekday >= 6 then 'weekend' else 'weekday' end as day_kind
    from typical_week

),

hours as (

    select
        day_kind,
        hour_of_day,
        cast(sum(hours_observed) as integer) as hours_observed,
        sum(energy_kwh) as energy_kwh,
        cast(sum(energy_kwh) as double) / sum(hours_observed) as mean_load_kwh
    from hours_of_the_week
    group by day_kind, hour_of_day

),

ranked as (

    select
        *,
        sum(energy_kwh) over (partition by day_kind) as day_kind_energy_kwh,
        row_number() over (partition by day_kind order by mean_load_kwh desc, hour_of_day) as load_rank,
        sum(energy_kwh) over (
            partition by day_kind
            order by mean_load_kwh desc, hour_of_day
            rows between unbounded preceding and current row
        ) as energy_to_rank_kwh
    from hours

),

final as (

    select
        -- keys
        day_kind,
        hour_of_day,

        -- measures
        hours_observed,
        energy_kwh,
        mean_load_kwh,
        cast(energy_kwh as double) / nullif(cast(day_kind_energy_kwh as double), 0) as share_of_energy,
        load_rank,

        -- flags
        energy_to_rank_kwh - energy_kwh < {{ busy_share }} * day_kind_energy_kwh as is_busy_hour
    from ranked
    order by day_kind, hour_of_day

)

select * from final
