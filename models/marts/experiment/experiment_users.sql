with

assignments as (

    select * from {{ ref('int_experiment_assignments') }}
    where not is_mixed

),

sessions as (

    select * from {{ ref('int_experiment_sessions') }}

),

metrics as (

    select metric
    from {{ ref('experiment_metrics') }}

),

sums as (

    select
        {%- for metric in experiment_metrics() %}
        {{ metric.numerator }} as {{ metric.name }}_numerator,
        {{ metric.denominator or 1 }} as {{ metric.name }}_denominator,
        {%- endfor %}
        experiment_id,
        user_id
    from sessions
    group by experiment_id, user_id

),

-- All assigned users count, also those who never charged.
user_metrics as (

    {% for metric in experiment_metrics() -%}
    select
        assignments.experiment_id,
        assignments.user_key,
        assignments.user_id,
        assignments.variant,
        assignments.segment,
        assignments.assigned_at,
        '{{ metric.name }}' as metric,
        coalesce(sums.{{ metric.name }}_numerator, 0) as numerator,
        coalesce(sums.{{ metric.name }}_denominator, {{ 0 if metric.denominator else 1 }}) as denominator,
        assignments.{{ metric.pre_numerator }} as pre_numerator,
        {{ metric.pre_denominator }} as pre_denominator
    from assignments
    left join sums
        on
            assignments.experiment_id = sums.experiment_id
            and assignments.user_id = sums.user_id
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select
        -- keys
        user_metrics.experiment_id,
        user_metrics.user_key,
        user_metrics.metric,

        -- attributes
        user_metrics.user_id,
        user_metrics.variant,
        user_metrics.segment,
        user_metrics.assigned_at,

        -- measures
        cast(user_metrics.numerator as decimal(18, 6)) as numerator,
        cast(user_metrics.denominator as decimal(18, 6)) as denominator,
        -- both or none: half a ratio says nothing
        cast(
            case when user_metrics.pre_denominator is not null then user_metrics.pre_numerator end as decimal(18, 6)
        ) as pre_numerator,
        cast(
            case when user_metrics.pre_numerator is not null then user_metrics.pre_denominator end as decimal(18, 6)
        ) as pre_denominator
    from user_metrics
    inner join metrics
        on user_metrics.metric = metrics.metric

)

select * from final
