{{ config(parameters=['user_id', 'start_date := null', 'end_date := null']) }}

with

arguments as (

    select
        {{ kpi_date('start_date') }} as first_date,
        case
            when {{ kpi_date('start_date') }} > {{ kpi_date('end_date') }}
                then error('start_date must not be after end_date')
            else {{ kpi_date('end_date') }}
        end as end_date,
        case
            when cast(user_id as varchar) in (select known_users.user_id from {{ in_warehouse('users') }}() as known_users)
                then cast(user_id as varchar)
            else error('No data found for given user')
        end as wanted_user_id

)

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
inner join {{ in_warehouse('dim_user') }} as users
    on loads.user_key = users.user_key
inner join arguments
    on
        users.user_id = arguments.wanted_user_id
        and users.source_system <> 'unknown'
        and loads.date_key >= coalesce(arguments.first_date, loads.date_key)
        and loads.date_key < coalesce(arguments.end_date, loads.date_key + interval 1 day)
order by loads.load_started_at, loads.session_id
