with

bins as (

    select
        experiment_id,
        variant,
        metric,
        sum(sessions) as sessions,
        sum(value_sum) as value_sum
    from {{ ref('int_experiment_values') }}
    group by experiment_id, variant, metric

),

users as (

    select
        experiment_users.experiment_id,
        experiment_users.variant,
        experiment_users.metric,
        sum(experiment_users.numerator) as numerator,
        sum(experiment_users.denominator) as denominator
    from {{ ref('experiment_users') }} as experiment_users
    inner join {{ ref('experiment_metrics') }} as metrics
        on experiment_users.metric = metrics.metric
    where metrics.counts_sessions
    group by experiment_users.experiment_id, experiment_users.variant, experiment_users.metric

)

select
    users.experiment_id,
    users.variant,
    users.metric,
    users.denominator,
    bins.sessions as sessions_of_bins,
    users.numerator,
    bins.value_sum as sum_of_bins
from users
left join bins
    on
        users.experiment_id = bins.experiment_id
        and users.variant = bins.variant
        and users.metric = bins.metric
where
    users.denominator <> coalesce(bins.sessions, 0)
    or users.numerator <> coalesce(bins.value_sum, 0)
