with

-- What a metric must add up to, told from the sessions alone.
sessions as (

    select
        experiment_id,
        variant,
        'energy_per_session' as metric,
        coalesce(sum(energy_kwh), 0) as numerator,
        count(energy_kwh) as denominator
    from {{ ref('int_experiment_sessions') }}
    group by experiment_id, variant

    union all

    select
        experiment_id,
        variant,
        'sessions_per_user' as metric,
        count(*) as numerator,
        null as denominator
    from {{ ref('int_experiment_sessions') }}
    group by experiment_id, variant

),

users as (

    select
        experiment_id,
        variant,
        metric,
        sum(numerator) as numerator,
        case when metric <> 'sessions_per_user' then sum(denominator) end as denominator
    from {{ ref('experiment_users') }}
    where metric in ('energy_per_session', 'sessions_per_user')
    group by experiment_id, variant, metric

)

select
    users.experiment_id,
    users.variant,
    users.metric,
    users.numerator as numerator_of_users,
    sessions.numerator as numerator_of_sessions,
    users.denominator as denominator_of_users,
    sessions.denominator as denominator_of_sessions
from users
left join sessions
    on
        users.experiment_id = sessions.experiment_id
        and users.variant = sessions.variant
        and users.metric = sessions.metric
where
    users.numerator <> coalesce(sessions.numerator, 0)
    or users.denominator <> coalesce(sessions.denominator, 0)
