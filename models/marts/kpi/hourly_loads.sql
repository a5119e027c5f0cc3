{{ config(parameters=['"limit" := 20']) }}

select
    loads.load_started_local_at as date_from,
    {{ to_local("(loads.load_started_at + interval 1 hour)", var('residential_timezone')) }} as date_to,
    users.user_id,
    loads.session_id,
    loads.synthetic_3_6_kwh as synthetic_3_6,
    loads.synthetic_7_2_kwh as synthetic_7_2,
    loads.flex_3_6_kwh as flex_3_6,
    loads.flex_7_2_kwh as flex_7_2
from {{ in_warehouse('fct_hourly_loads') }} as loads
left join {{ in_warehouse('dim_user') }} as users
    on loads.user_key = users.user_key
order by loads.load_started_at, users.user_id, loads.session_id
limit "limit"
