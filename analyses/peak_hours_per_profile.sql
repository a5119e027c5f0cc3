-- Question: when is the load highest, and how high, if everybody charges at 3.6 or at 7.2 kW?
-- Who asks: grid planners who size a connection.
-- How to read: ten hours per load profile, the highest first. Hours of one evening belong to one event: a peak that
-- stands alone can be shaved, one that comes back every week needs a cable. The flex profiles show when most of the
-- load could still be moved; they are no demand.
{% set hours_per_profile = 10 %}

with

hourly_load as (

    select * from {{ ref('hourly_load') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

ranked as (

    select
        *,
        row_number() over (partition by load_profile order by energy_kwh desc, load_started_at) as peak_rank,
        max(energy_kwh) over (partition by load_profile) as peak_kwh
    from hourly_load

),

final as (

    select
        -- keys
        ranked.load_profile,
        ranked.peak_rank,

        -- attributes
        ranked.load_started_local_at,
        dates.weekday_name,
        ranked.hour_of_day,

        -- measures
        ranked.energy_kwh,
        cast(ranked.energy_kwh as double) / nullif(cast(ranked.peak_kwh as double), 0) as share_of_peak,
        ranked.charging_sessions
    from ranked
    inner join dates
        on ranked.date_key = dates.date_key
    where ranked.peak_rank <= {{ hours_per_profile }}
    order by ranked.load_profile, ranked.peak_rank

)

select * from final
