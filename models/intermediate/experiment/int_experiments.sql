{% set time_zone = var('experiment_timezone') %}

with

assignments as (

    select * from {{ ref('int_experiment_assignments') }}

),

plans as (

    select * from {{ ref('experiments') }}

),

sessions as (

    select
        user_id,
        plugged_in_at
    from {{ ref('stg_experiment__sessions') }}

),

assigned as (

    select
        experiment_id,
        min(assigned_at) as first_assigned_at
    from assignments
    group by experiment_id

),

planned as (

    select
        assigned.experiment_id,
        plans.hypothesis,
        coalesce(plans.control_variant, '{{ var("experiment_control_variant") }}') as control_variant,
        coalesce(
            plans.starts_on, cast({{ to_local('assigned.first_assigned_at', time_zone) }} as date)
        ) as starts_on,
        plans.ends_on as planned_end_date,
        coalesce(plans.planned_users, {{ var('experiment_planned_users') }}) as planned_users
    from assigned
    left join plans
        on assigned.experiment_id = plans.experiment_id

),

bounded as (

    select
        *,
        {{ earlier_utc('cast(starts_on as timestamp)', time_zone) }} as starts_at,
        {{ earlier_utc('cast(planned_end_date + interval 1 day as timestamp)', time_zone) }} as planned_end_at
    from planned

),

last_sessions as (

    select
        bounded.experiment_id,
        max(sessions.plugged_in_at) as last_plug_in_at
    from bounded
    inner join assignments
        on bounded.experiment_id = assignments.experiment_id
    inner join sessions
        on assignments.user_id = sessions.user_id
    where
        sessions.plugged_in_at >= bounded.starts_at
        and (bounded.planned_end_at is null or sessions.plugged_in_at < bounded.planned_end_at)
    group by bounded.experiment_id

),

observed as (

    select
        bounded.*,
        cast({{ to_local('last_sessions.last_plug_in_at', time_zone) }} as date) as last_date
    from bounded
    left join last_sessions
        on bounded.experiment_id = last_sessions.experiment_id

),

final as (

    select
        -- keys
        experiment_id,

        -- attributes
        hypothesis,
        control_variant,
        starts_on,
        coalesce(planned_end_date, last_date) as ends_on,
        last_date,
        starts_at,
        planned_end_at,

        -- measures
        cast(coalesce(last_date - starts_on + 1, 0) as integer) as days,
        cast(planned_users as integer) as planned_users,
        cast({{ var('experiment_min_days') }} as integer) as min_days,
        cast({{ var('experiment_alpha') }} as double) as alpha,
        cast({{ var('experiment_power') }} as double) as power,
        cast({{ var('experiment_sample_ratio_alpha') }} as double) as sample_ratio_alpha,
        cast({{ var('experiment_max_mixed_share') }} as double) as max_mixed_share,
        cast({{ var('experiment_activity_alpha') }} as double) as activity_alpha,
        cast({{ var('experiment_bootstrap_replicates') }} as integer) as bootstrap_replicates,
        cast({{ var('experiment_bootstrap_seed') }} as integer) as bootstrap_seed
    from observed

)

select * from final
