{{ config(parameters=[]) }}

select distinct users.user_id
from {{ in_warehouse('fct_hourly_loads') }} as loads
inner join {{ in_warehouse('dim_user') }} as users
    on loads.user_key = users.user_key
where users.source_system <> 'unknown'
order by users.user_id
