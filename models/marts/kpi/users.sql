{{ config(parameters=[]) }}

select distinct users.user_id
from {{ kpi_source('fct_hourly_loads') }} as loads
inner join {{ kpi_source('dim_user') }} as users
    on loads.user_key = users.user_key
where users.source_system <> 'unknown'
order by users.user_id
