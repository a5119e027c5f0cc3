with

expected as (

    select
        assignments.experiment_id,
        assignments.user_key,
        assignments.variant,
        metrics.metric
    from {{ ref('int_experiment_assignments') }} as assignments
    cross join {{ ref('experiment_metrics') }} as metrics
    where not assignments.is_mixed

),

found as (

    select
        experiment_id,
        user_key,
        variant,
        metric,
        count(*) as row_count
    from {{ ref('experiment_users') }}
    group by experiment_id, user_key, variant, metric

)

select
    coalesce(expected.experiment_id, found.experiment_id) as experiment_id,
    coalesce(expected.user_key, found.user_key) as user_key,
    coalesce(expected.metric, found.metric) as metric,
    coalesce(found.row_count, 0) as row_count
from expected
full outer join found
    on
        expected.experiment_id = found.experiment_id
        and expected.user_key = found.user_key
        and expected.variant = found.variant
        and expected.metric = found.metric
where
    expected.metric is null
    or found.row_count is distinct from 1
