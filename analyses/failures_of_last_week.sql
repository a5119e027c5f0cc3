-- Question: what failed last week, and why?
-- Who asks: operations, each Monday; the supplier of the charger or of the app, about its own reasons.
-- How to read: one row per reason, the most frequent first. Last week is the last one from Monday to Sunday that the data reach
-- the end of. An attempt that never became a session fails too (`not_started`, `authorization_rejected`); a session that
-- only a list names counts as one attempt. A reason at one station is a station to visit; a reason at all of them is
-- software. `failures_week_before` says whether it is new. Unknown drivers count as one.
with

attempts as (

    select * from {{ ref('fct_charge_attempts') }}

),

sessions as (

    select * from {{ ref('fct_charging_sessions') }}
    where source_system = 'network'

),

everything as (

    select
        station_key,
        user_key,
        date_key,
        outcome,
        failure_reason
    from attempts

    union all

    select
        sessions.station_key,
        sessions.user_key,
        sessions.date_key,
        sessions.outcome,
        sessions.failure_reason
    from sessions
    left join attempts
        on sessions.session_key = attempts.session_key
    where attempts.session_key is null

),

last_week as (

    {{ last_full_week('everything', 'date_key') }}

),

failures as (

    select
        everything.*,
        everything.date_key >= last_week.first_date as is_last_week
    from everything
    inner join last_week
        on
            everything.date_key >= last_week.first_date - interval 7 day
            and everything.date_key < last_week.end_date
    where everything.outcome = 'failed'

),

reasons as (

    select
        failure_reason,
        count(case when is_last_week then 1 end) as failures,
        count(distinct case when is_last_week then station_key end) as stations,
        count(distinct case when is_last_week then user_key end) as drivers,
        count(case when not is_last_week then 1 end) as failures_week_before
    from failures
    group by failure_reason

),

final as (

    select
        -- keys
        row_number() over (order by failures desc, failure_reason) as place,
        failure_reason,

        -- measures
        failures,
        cast(failures as double) / sum(failures) over () as share_of_failures,
        stations,
        drivers,
        failures_week_before
    from reasons
    where failures > 0
    order by place

)

select * from final
