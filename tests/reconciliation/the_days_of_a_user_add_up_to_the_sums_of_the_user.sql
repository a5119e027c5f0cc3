with

days as (

    select
        experiment_id,
        user_id,
        metric,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from {{ ref('int_experiment_user_days') }}
    group by experiment_id, user_id, metric

),

users as (

    select experiment_users.*
    from {{ ref('experiment_users') }} as experiment_users
    inner join {{ ref('experiment_metrics') }} as metrics
        on experiment_users.metric = metrics.metric
    where metrics.role = 'primary'

)

select
    coalesce(users.experiment_id, days.experiment_id) as experiment_id,
    coalesce(users.user_id, days.user_id) as user_id,
    coalesce(users.metric, days.metric) as metric,
    users.numerator,
    days.numerator as numerator_of_days,
    users.denominator,
    days.denominator as denominator_of_days
from users
full outer join days
    on
        users.experiment_id = days.experiment_id
        and users.user_id = days.user_id
        and users.metric = days.metric
where
    users.metric is null
    or users.numerator <> coalesce(days.numerator, 0)
    or users.denominator <> coalesce(days.denominator, 0)
