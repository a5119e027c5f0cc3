with

visits as (

    select * from {{ ref('fct_visits') }}

),

counted as (

    select
        site_id,
        date_key,
        count(*) as visits,
        count(case when visit_result = 'first_attempt' then 1 end) as first_attempt_visits,
        count(case when visit_result = 'after_retries' then 1 end) as after_retries_visits,
        count(case when visit_result = 'failed' then 1 end) as failed_visits,
        count(case when visit_result = 'open' then 1 end) as open_visits,
        count(case when visit_result = 'unknown' then 1 end) as unknown_visits,
        sum(attempts) as attempts
    from visits
    group by site_id, date_key

),

known as (

    select
        *,
        first_attempt_visits + after_retries_visits + failed_visits as known_visits
    from counted

),

final as (

    select
        -- keys
        site_id,
        date_key,

        -- measures: counts
        visits,
        first_attempt_visits,
        after_retries_visits,
        failed_visits,
        open_visits,
        unknown_visits,
        cast(attempts as bigint) as attempts,

        -- measures: ratios
        cast(attempts as double) / visits as attempts_per_visit,
        cast(first_attempt_visits as double) / nullif(known_visits, 0) as first_attempt_share,
        cast(after_retries_visits as double) / nullif(known_visits, 0) as after_retries_share,
        cast(failed_visits as double) / nullif(known_visits, 0) as failed_share
    from known

)

select * from final
