-- Question: how many users does each arm of an experiment have, and how many of them charge?
-- Who asks: whoever runs the experiment, on the first days and before any other figure.
-- How to read: one row per arm. Shares of users should be those of the randomisation. An arm whose users charge less often can
-- look better in every metric per session; `sessions_per_user` counts all assigned users, also those who never charged.
-- No significance is to be read from this: `experiment_health` judges the shares, `experiment_results` the metrics.
with

user_metrics as (

    select * from {{ ref('experiment_users') }}

),

arms as (

    select
        experiment_id,
        variant,
        count(distinct user_key) as users,
        count(case when metric = 'sessions_per_user' and numerator > 0 then 1 end) as users_with_sessions,
        sum(case when metric = 'sessions_per_user' then numerator else 0 end) as charging_sessions,
        sum(case when metric = 'energy_per_session' then numerator else 0 end) as energy_kwh,
        min(assigned_at) as first_assigned_at,
        max(assigned_at) as last_assigned_at
    from user_metrics
    group by experiment_id, variant

),

final as (

    select
        -- keys
        experiment_id,
        variant,

        -- attributes
        first_assigned_at,
        last_assigned_at,

        -- measures
        users,
        cast(users as double) / sum(users) over (partition by experiment_id) as share_of_users,
        users_with_sessions,
        cast(users_with_sessions as double) / users as share_of_users_with_sessions,
        cast(charging_sessions as integer) as charging_sessions,
        cast(charging_sessions as double) / users as sessions_per_user,
        energy_kwh,
        cast(energy_kwh as double) / users as energy_per_user_kwh
    from arms
    order by experiment_id, variant

)

select * from final
