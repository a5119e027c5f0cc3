-- Question: how does each metric of an experiment move from day to day in each arm?
-- Who asks: whoever runs the experiment, to see a signal that wasn't sent, a holiday, or an effect that wears off.
-- How to read: one row per metric, local day and arm, of the sessions plugged in on that day. Days differ far more than
-- arms do, so compare the arms of one day. A day without a session has no row; sessions per user stand in `experiment_arms`.
-- No significance is to be read from this, least of all on the day on which the arms differ most: `experiment_looks` has
-- intervals that hold however often one looks, `experiment_results` those of the end.
{% set metrics = experiment_metrics() | selectattr('denominator') | list %}

with

sessions as (

    select * from {{ ref('int_experiment_sessions') }}

),

experiments as (

    select * from {{ ref('int_experiments') }}

),

listed_metrics as (

    select * from {{ ref('experiment_metrics') }}

),

days as (

    {% for metric in metrics -%}
    select
        experiment_id,
        '{{ metric.name }}' as metric,
        day_number,
        variant,
        count(*) as charging_sessions,
        {{ metric.numerator }} as numerator,
        {{ metric.denominator }} as denominator
    from sessions
    group by experiment_id, day_number, variant
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select
        -- keys
        days.experiment_id,
        days.metric,
        days.day_number,
        days.variant,

        -- attributes
        cast({{ dbt.dateadd('day', 'days.day_number - 1', 'experiments.starts_on') }} as date) as local_date,

        -- measures
        days.charging_sessions,
        coalesce(days.numerator, 0) as numerator,
        coalesce(days.denominator, 0) as denominator,
        cast(days.numerator as double) / nullif(cast(days.denominator as double), 0) as metric_value
    from days
    inner join listed_metrics
        on days.metric = listed_metrics.metric
    inner join experiments
        on days.experiment_id = experiments.experiment_id
    order by days.experiment_id, days.metric, days.day_number, days.variant

)

select * from final
