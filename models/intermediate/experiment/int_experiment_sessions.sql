{% set time_zone = var('experiment_timezone') %}

with

sessions as (

    select * from {{ ref('stg_experiment__sessions') }}

),

assignments as (

    select * from {{ ref('int_experiment_assignments') }}
    where not is_mixed

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

low_price_hours as (

    select * from {{ ref('int_low_price_hours') }}
    where price_zone = '{{ var("experiment_price_zone") }}'

),

-- Energy is taken to flow evenly from the beginning of charging to its end, or to the plug-out where the end is not known.
started as (

    select
        *,
        '{{ var("experiment_price_zone") }}' as price_zone,
        coalesce(charging_started_at, plugged_in_at) as started_at,
        coalesce(charging_ended_at, plugged_out_at) as ended_at
    from sessions

),

priced as (

    select * from {{ with_mean_prices('started', 'price_zone', 'started_at', 'ended_at') }}

),

-- A session counts for every experiment of its user, from the user's assignment on.
counted as (

    select
        experiments.experiment_id,
        assignments.variant,
        assignments.segment,
        priced.*,
        {{ to_local('priced.started_at', time_zone) }} as started_local_at,
        cast({{ to_local('priced.plugged_in_at', time_zone) }} as date) - experiments.starts_on + 1 as day_number
    from priced
    inner join assignments
        on priced.user_id = assignments.user_id
    inner join experiments
        on assignments.experiment_id = experiments.experiment_id
    where
        priced.plugged_in_at >= assignments.assigned_at
        and priced.plugged_in_at >= experiments.starts_at
        and (experiments.planned_end_at is null or priced.plugged_in_at < experiments.planned_end_at)

),

costed as (

    select
        counted.*,
        -- one product of two accepted values: DOUBLE is exact to the sixth decimal, and several times faster than DECIMALs
        -- that are wide enough for it
        cast(
            cast(counted.energy_kwh as double) * cast(counted.mean_price_eur_per_mwh as double) / 1000 as decimal(18, 6)
        ) as priced_cost_eur,
        cast(cast(counted.energy_kwh as double) * cast(counted.mean_gco2_per_kwh as double) as decimal(18, 6)) as co2_g,
        low_price_hours.is_low_price_hour as priced_is_low_price
    from counted
    left join low_price_hours
        on
            {{ local_hour_start('counted.started_at', 'counted.started_local_at') }}
            = low_price_hours.hour_started_at

),

final as (

    select
        -- keys
        experiment_id,
        session_id,

        -- attributes
        user_id,
        variant,
        segment,
        started_at,
        started_local_at,
        cast(day_number as integer) as day_number,

        -- measures
        energy_kwh,
        -- where the prices don't reach, what the sender says
        coalesce(priced_cost_eur, cost_eur) as cost_eur,
        co2_g,
        priced_cost_eur,
        cost_eur as delivered_cost_eur,

        -- flags
        coalesce(priced_is_low_price, in_low_price_window) as is_low_price,
        extract(hour from started_local_at) in ({{ var('experiment_peak_hours') | join(', ') or -1 }}) as is_peak_hour,
        priced_is_low_price,
        in_low_price_window as delivered_is_low_price
    from costed

)

select * from final
