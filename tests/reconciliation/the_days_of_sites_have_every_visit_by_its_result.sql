{% set results = ['first_attempt', 'after_retries', 'failed', 'open', 'unknown'] %}

with

visits as (

    select
        count(*) as visits,
        {%- for result in results %}
        count(case when visit_result = '{{ result }}' then 1 end) as {{ result }}_visits,
        {%- endfor %}
        coalesce(sum(attempts), 0) as attempts
    from {{ ref('fct_visits') }}

),

days as (

    select
        coalesce(sum(visits), 0) as visits,
        {%- for result in results %}
        coalesce(sum({{ result }}_visits), 0) as {{ result }}_visits,
        {%- endfor %}
        coalesce(sum(attempts), 0) as attempts
    from {{ ref('site_visits_daily') }}

)

select
    visits.*,
    days.*
from visits
cross join days
where
    visits.visits <> days.visits
    {%- for result in results %}
    or visits.{{ result }}_visits <> days.{{ result }}_visits
    {%- endfor %}
    or visits.attempts <> days.attempts
