-- Question: does demand of the residential sites grow, because of more users, more sessions or more energy per user?
-- Who asks: the operator's planning and finance, once a month.
-- How to read: one row per month of the charging reports, months without a session too. The first and the last month are
-- flagged `is_cut` where the data begin or end inside them; they have no change to or from them, but `energy_per_day_kwh`
-- is comparable. Energy is that of the sessions plugged in during the month, open sessions included.
with

sessions as (

    select * from {{ ref('fct_charging_sessions') }}
    where source_system = 'residential'

),

users as (

    select * from {{ ref('dim_user') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

span as (

    select
        min(date_key) as first_date,
        max(date_key) as last_date
    from sessions

),

months as (

    select
        dates.month_start_date,
        count(*) as days_covered
    from dates
    inner join span
        on dates.date_key between span.first_date and span.last_date
    group by dates.month_start_date

),

demand as (

    select
        dates.month_start_date,
        sum(sessions.energy_kwh) as energy_kwh,
        count(*) as charging_sessions,
        count(distinct case when users.source_system <> 'unknown' then sessions.user_key end) as users
    from sessions
    inner join dates
        on sessions.date_key = dates.date_key
    inner join users
        on sessions.user_key = users.user_key
    group by dates.month_start_date

),

filled as (

    select
        months.month_start_date,
        months.days_covered,
        coalesce(demand.energy_kwh, 0) as energy_kwh,
        coalesce(demand.charging_sessions, 0) as charging_sessions,
        coalesce(demand.users, 0) as users,
        months.days_covered < extract(day from {{ dbt.last_day('months.month_start_date', 'month') }}) as is_cut
    from months
    left join demand
        on months.month_start_date = demand.month_start_date

),

compared as (

    select
        *,
        lag(energy_kwh) over (order by month_start_date) as energy_month_before_kwh,
        lag(is_cut) over (order by month_start_date) as is_month_before_cut
    from filled

),

final as (

    select
        -- keys
        month_start_date,

        -- attributes
        days_covered,

        -- measures
        energy_kwh,
        charging_sessions,
        users,
        cast(energy_kwh as double) / nullif(users, 0) as energy_per_user_kwh,
        cast(energy_kwh as double) / nullif(charging_sessions, 0) as energy_per_session_kwh,
        cast(energy_kwh as double) / days_covered as energy_per_day_kwh,
        case
            when not is_cut and not is_month_before_cut
                then
                    100 * cast(energy_kwh - energy_month_before_kwh as double)
                    / nullif(cast(energy_month_before_kwh as double), 0)
        end as energy_change_pct,

        -- flags
        is_cut
    from compared
    order by month_start_date

)

select * from final
