{{ config(parameters=['user_id', 'start_date := null', 'end_date := null']) }}

with

arguments as (

    select
        {{ kpi_range() }},
        case
            when cast(user_id as varchar) in (select known_users.user_id from {{ in_warehouse('users') }}() as known_users)
                then cast(user_id as varchar)
            else error('No data found for given user')
        end as wanted_user_id

)

select {{ kpi_load_columns() }}
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
