-- Question: how many drivers had to retry, and where did they give up?
-- Who asks: customer service and product people: a retry costs minutes, giving up costs the customer.
-- How to read: one row for all sites, then one per site. A visit that failed is a driver who left without a charge;
-- `gave_up_at_once` are those who didn't try again, `attempts_of_failed_visits` is how often failed visits tried on average.
-- Visits that are open or ended nobody knows how are in no share, and a second charge after a good one is no retry. An
-- unknown driver's visit counts, the driver doesn't.
with

visits as (

    select
        *,
        attempts > 1 and not is_first_attempt_succeeded as has_retry
    from {{ ref('fct_visits') }}
    where visit_result in ('first_attempt', 'after_retries', 'failed')

),

scoped as (

    select
        'all' as site,
        visits.*
    from visits

    union all

    select
        site_id as site,
        visits.*
    from visits

),

sites as (

    select
        site,
        count(*) as visits,
        count(case when has_retry then 1 end) as visits_with_retries,
        count(distinct case when has_retry and user_key <> {{ unknown_key() }} then user_key end) as drivers_who_retried,
        count(case when visit_result = 'after_retries' then 1 end) as visits_saved_by_retries,
        count(case when visit_result = 'failed' then 1 end) as failed_visits,
        count(case when visit_result = 'failed' and attempts = 1 then 1 end) as gave_up_at_once,
        sum(case when visit_result = 'failed' then attempts else 0 end) as failed_attempts
    from scoped
    group by site

),

final as (

    select
        -- keys
        site as site_id,

        -- measures
        visits,
        visits_with_retries,
        drivers_who_retried,
        visits_saved_by_retries,
        failed_visits,
        gave_up_at_once,
        cast(visits_with_retries as double) / visits as retried_share,
        cast(failed_visits as double) / visits as failed_share,
        cast(failed_attempts as double) / nullif(failed_visits, 0) as attempts_of_failed_visits
    from sites
    order by case when site = 'all' then 0 else 1 end, site

)

select * from final
