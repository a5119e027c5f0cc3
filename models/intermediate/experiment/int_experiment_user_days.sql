{% set time_zone = var('experiment_timezone') %}

with

sessions as (

    select * from {{ ref('int_experiment_sessions') }}

),

assignments as (

    select * from {{ ref('int_experiment_assignments') }}
    where not is_mixed

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

primaries as (

    select metric
    from {{ ref('experiment_metrics') }}
    where role = 'primary'

),

days as (

    select
        {%- for metric in experiment_metrics() %}
        {{ metric.numerator }} as {{ metric.name }}_numerator,
        {{ metric.denominator or 0 }} as {{ metric.name }}_denominator,
        {%- endfor %}
        experiment_id,
        variant,
        user_id,
        day_number
    from sessions
    group by experiment_id, variant, user_id, day_number

    union all

    -- what counts every assigned user as one does so from the day of the assignment
    select
        {%- for metric in experiment_metrics() %}
        0 as {{ metric.name }}_numerator,
        {{ 0 if metric.denominator else 1 }} as {{ metric.name }}_denominator,
        {%- endfor %}
        assignments.experiment_id,
        assignments.variant,
        assignments.user_id,
        greatest(cast({{ to_local('assignments.assigned_at', time_zone) }} as date) - experiments.starts_on + 1, 1) as day_number
    from assignments
    inner join experiments
        on assignments.experiment_id = experiments.experiment_id

),

metric_days as (

    {% for metric in experiment_metrics() -%}
    select
        experiment_id,
        variant,
        user_id,
        day_number,
        '{{ metric.name }}' as metric,
        {{ metric.name }}_numerator as numerator,
        {{ metric.name }}_denominator as denominator
    from days
    where
        {{ metric.name }}_numerator <> 0
        or {{ metric.name }}_denominator <> 0
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select
        -- keys
        metric_days.experiment_id,
        metric_days.variant,
        metric_days.user_id,
        metric_days.metric,
        cast(metric_days.day_number as integer) as day_number,

        -- measures
        cast(sum(coalesce(metric_days.numerator, 0)) as decimal(18, 6)) as numerator,
        cast(sum(coalesce(metric_days.denominator, 0)) as decimal(18, 6)) as denominator
    from metric_days
    inner join primaries
        on metric_days.metric = primaries.metric
    group by
        metric_days.experiment_id,
        metric_days.variant,
        metric_days.user_id,
        metric_days.metric,
        metric_days.day_number

)

select * from final
