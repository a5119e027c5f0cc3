-- Question: at which hours does charging begin in each arm of an experiment?
-- Who asks: pricing and grid planners, to see where the sessions went that left the evening.
-- How to read: one row per arm and hour of the local clock; the shares of an arm add up to 1. Sessions that a signal
-- moves show as less in the evening and more in the hours that were cheap, which are others every day: `low_price_share`
-- is the share of the hour's sessions that began in a low-price hour.
-- No significance is to be read from this: `experiment_results` has it.
with

sessions as (

    select * from {{ ref('int_experiment_sessions') }}

),

quarter_hours as (

    select * from {{ ref('dim_time') }}

),

arms as (

    select distinct
        experiment_id,
        variant
    from sessions

),

hours as (

    select distinct hour_of_day
    from quarter_hours

),

starts as (

    select
        experiment_id,
        variant,
        extract(hour from started_local_at) as hour_of_day,
        count(*) as charging_sessions,
        sum(energy_kwh) as energy_kwh,
        count(is_low_price) as sessions_with_known_price,
        count(case when is_low_price then 1 end) as low_price_sessions
    from sessions
    group by experiment_id, variant, extract(hour from started_local_at)

),

final as (

    select
        -- keys
        arms.experiment_id,
        arms.variant,
        hours.hour_of_day,

        -- measures
        coalesce(starts.charging_sessions, 0) as charging_sessions,
        cast(coalesce(starts.charging_sessions, 0) as double)
        / sum(starts.charging_sessions) over (partition by arms.experiment_id, arms.variant) as share_of_sessions,
        coalesce(starts.energy_kwh, 0) as energy_kwh,
        cast(starts.low_price_sessions as double) / nullif(starts.sessions_with_known_price, 0) as low_price_share
    from arms
    cross join hours
    left join starts
        on
            arms.experiment_id = starts.experiment_id
            and arms.variant = starts.variant
            and hours.hour_of_day = starts.hour_of_day
    order by arms.experiment_id, arms.variant, hours.hour_of_day

)

select * from final
