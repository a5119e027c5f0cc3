{{ config(parameters=['"limit" := 20']) }}

select {{ kpi_load_columns() }}
from {{ in_warehouse('fct_hourly_loads') }} as loads
left join {{ in_warehouse('dim_user') }} as users
    on loads.user_key = users.user_key
order by loads.load_started_at, users.user_id, loads.session_id
limit "limit"
