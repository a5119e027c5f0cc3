{{ config(parameters=["load_profile := '" ~ var('default_load_profile') ~ "'"]) }}

with

arguments as (

    select {{ kpi_profile() }} as profile

),

days as (

    select daily_load.*
    from {{ in_warehouse('daily_load') }} as daily_load
    inner join arguments
        on daily_load.load_profile = arguments.profile

),

last_day as (

    select max(date_key) as date_key
    from days

)

select
    cast(sum(days.energy_kwh) as double) / 7 as avg_daily_energy_kwh,
    'last_7_days' as period,
    cast(max(last_day.date_key) - interval 6 day as date) as "from",
    cast(max(last_day.date_key) + interval 1 day as date) as "to"
from days
inner join last_day
    on days.date_key > last_day.date_key - interval 7 day
