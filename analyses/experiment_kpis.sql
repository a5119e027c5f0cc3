-- Question: what is each metric of an experiment in each arm, and how far is it from the control arm?
-- Who asks: whoever runs the experiment, and everybody who was told a percentage.
-- How to read: one row per metric and arm. `metric_value` is the sum of the numerators over the sum of the denominators of
-- all assigned users, never a mean of users' ratios. Whether a change is good stands in `better`.
-- No significance is to be read from this: `experiment_results` has the intervals and p-values.
with

user_metrics as (

    select * from {{ ref('experiment_users') }}

),

metrics as (

    select * from {{ ref('experiment_metrics') }}

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

arms as (

    select
        experiment_id,
        metric,
        variant,
        count(*) as users,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        cast(sum(numerator) as double) / nullif(cast(sum(denominator) as double), 0) as metric_value
    from user_metrics
    group by experiment_id, metric, variant

),

controls as (

    select arms.*
    from arms
    inner join experiments
        on
            arms.experiment_id = experiments.experiment_id
            and arms.variant = experiments.control_variant

),

final as (

    select
        -- keys
        arms.experiment_id,
        arms.metric,
        arms.variant,

        -- attributes
        metrics.label,
        metrics.unit,
        metrics.role,
        metrics.better,

        -- measures
        arms.users,
        arms.numerator,
        arms.denominator,
        arms.metric_value,
        arms.metric_value - controls.metric_value as difference_to_control,
        100 * (arms.metric_value - controls.metric_value) / nullif(controls.metric_value, 0) as difference_to_control_pct
    from arms
    inner join metrics
        on arms.metric = metrics.metric
    left join controls
        on
            arms.experiment_id = controls.experiment_id
            and arms.metric = controls.metric
    order by arms.experiment_id, arms.metric, arms.variant

)

select * from final
