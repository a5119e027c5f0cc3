{% set metrics = experiment_metrics() | selectattr('session_value', 'defined') | list %}

with

sessions as (

    select * from {{ ref('int_experiment_sessions') }}

),

session_values as (

    {% for metric in metrics -%}
    select
        experiment_id,
        variant,
        '{{ metric.name }}' as metric,
        -- wide enough for its square
        cast({{ metric.session_value }} as decimal(19, 6)) as session_value
    from sessions
    where {{ metric.session_value }} is not null
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select
        -- keys
        experiment_id,
        variant,
        metric,
        cast(floor(session_value * 10) / 10 as decimal(18, 1)) as value_bin,

        -- measures
        count(*) as sessions,
        cast(sum(session_value) as decimal(18, 6)) as value_sum,
        cast(sum(session_value * session_value) as decimal(38, 12)) as value_square_sum
    from session_values
    group by experiment_id, variant, metric, value_bin

)

select * from final
