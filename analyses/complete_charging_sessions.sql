-- Question: which part of charging is fully known, and what is missing from the rest?
-- Who asks: whoever must decide what may be concluded from driving and charging logs.
-- How to read: one row per month, completeness and reason why a logged session isn't complete. `session_share` and
-- `energy_share` are parts of the month, 0 to 1; energy that only the SOC tells counts too. An inferred session was not
-- logged: its energy is missing from every figure that counts logged sessions.
with

sessions as (

    select * from {{ ref('session_indicators') }}

),

counted as (

    select
        month,
        completeness,
        coalesce(incomplete_reason, 'none') as reason,
        count(*) as sessions,
        sum(coalesce(energy_kwh, 0)) as energy_kwh,
        avg(cast(energy_kwh as double)) as mean_energy_kwh,
        avg(cast(soc_change_pct as double)) as mean_soc_change_pct
    from sessions
    group by month, completeness, reason

),

final as (

    select
        -- keys
        month,
        completeness,
        reason,

        -- measures
        sessions,
        cast(sessions as double) / sum(sessions) over (partition by month) as session_share,
        cast(energy_kwh as decimal(18, 6)) as energy_kwh,
        cast(energy_kwh as double) / nullif(cast(sum(energy_kwh) over (partition by month) as double), 0) as energy_share,
        mean_energy_kwh,
        mean_soc_change_pct
    from counted
    order by month, completeness, reason

)

select * from final
