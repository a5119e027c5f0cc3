-- Question: what is each metric of an experiment in each arm, for users of each segment?
-- Who asks: whoever decides where a rollout begins.
-- How to read: one row per metric, segment and arm, all assigned users of the segment. Segments are groups from before the
-- assignment, so within each the arms are as comparable as in the whole, but smaller: the fewer users, the more chance.
-- No significance is to be read from this: `experiment_segments` has it, corrected for looking at many segments, and
-- `experiment_results` that of the whole.
with

user_metrics as (

    select * from {{ ref('experiment_users') }}

),

final as (

    select
        -- keys
        experiment_id,
        metric,
        segment,
        variant,

        -- measures
        count(*) as users,
        count(case when denominator > 0 then 1 end) as users_with_a_value,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        cast(sum(numerator) as double) / nullif(cast(sum(denominator) as double), 0) as metric_value
    from user_metrics
    group by experiment_id, metric, segment, variant
    order by experiment_id, metric, segment, variant

)

select * from final
