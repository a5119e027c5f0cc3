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
        assigned.first_assigned_at,
        plans.hypothesis,
        coalesce(plans.control_variant, '{{ var("experiment_control_variant") }}') as control_variant,
        plans.starts_on as planned_start_date,
        plans.ends_on as planned_end_date,
        plans.control_share,
        {{ earlier_utc('cast(plans.starts_on as timestamp)', time_zone) }} as planned_start_at,
        {{ earlier_utc('cast(plans.ends_on + interval 1 day as timestamp)', time_zone) }} as planned_end_at,
        coalesce(plans.planned_users, {{ var('experiment_planned_users') }}) as planned_users
    from assigned
    left join plans
        on assigned.experiment_id = plans.experiment_id

),

-- The sessions that count: of users in one arm, from their assignment on, within what is planned.
observed as (

    select
        planned.experiment_id,
        min(sessions.plugged_in_at) as first_plug_in_at,
        max(sessions.plugged_in_at) as last_plug_in_at
    from planned
    inner join assignments
        on planned.experiment_id = assignments.experiment_id
    inner join sessions
        on assignments.user_id = sessions.user_id
    where
        not assignments.is_mixed
        and sessions.plugged_in_at >= assignments.assigned_at
        and (planned.planned_start_at is null or sessions.plugged_in_at >= planned.planned_start_at)
        and (planned.planned_end_at is null or sessions.plugged_in_at < planned.planned_end_at)
    group by planned.experiment_id

),

dated as (

    select
        planned.*,
        -- users are often assigned long before anything happens: without a plan, the first session begins the experiment
        coalesce(
            planned.planned_start_date,
            cast({{ to_local('coalesce(observed.first_plug_in_at, planned.first_assigned_at)', time_zone) }} as date)
        ) as starts_on,
        cast({{ to_local('observed.last_plug_in_at', time_zone) }} as date) as last_date
    from planned
    left join observed
        on planned.experiment_id = observed.experiment_id

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
        {{ earlier_utc('cast(starts_on as timestamp)', time_zone) }} as starts_at,
        planned_end_at,

        -- measures
        cast(coalesce(last_date - starts_on + 1, 0) as integer) as days,
        cast(planned_end_date - starts_on + 1 as integer) as planned_days,
        cast(planned_users as integer) as planned_users,
        cast(control_share as double) as control_share,
        cast({{ var('experiment_min_days') }} as integer) as min_days,
        cast({{ var('experiment_alpha') }} as double) as alpha,
        cast({{ var('experiment_power') }} as double) as power,
        cast({{ var('experiment_sample_ratio_alpha') }} as double) as sample_ratio_alpha,
        cast({{ var('experiment_max_mixed_share') }} as double) as max_mixed_share,
        cast({{ var('experiment_activity_alpha') }} as double) as activity_alpha,
        cast({{ var('experiment_bootstrap_replicates') }} as integer) as bootstrap_replicates,
        cast({{ var('experiment_bootstrap_seed') }} as integer) as bootstrap_seed
    from dated

)

select * from final
