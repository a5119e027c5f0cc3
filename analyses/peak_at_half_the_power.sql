-- Question: how far does the peak fall if sessions charge at 3.6 instead of 7.2 kW?
-- Who asks: grid planners and garage owners who choose the size of chargers and fuses.
-- How to read: one row for all data (`all`), then one per month of the load. Half the power is not half the peak: slower
-- sessions last longer and overlap more. The two energies tell whether the slower charger still serves the same demand;
-- in single months they also differ by the sessions that it carries over into the next.
with

hourly_load as (

    select * from {{ ref('hourly_load') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

hours as (

    select
        hourly_load.load_started_at,
        dates.month_start_date,
        sum(case when hourly_load.load_profile = 'synthetic_7_2' then hourly_load.energy_kwh else 0 end) as at_7_2_kwh,
        sum(case when hourly_load.load_profile = 'synthetic_3_6' then hourly_load.energy_kwh else 0 end) as at_3_6_kwh
    from hourly_load
    inner join dates
        on hourly_load.date_key = dates.date_key
    where hourly_load.load_profile in ('synthetic_3_6', 'synthetic_7_2')
    group by hourly_load.load_started_at, dates.month_start_date

),

periods as (

    select
        'all' as period,
        at_7_2_kwh,
        at_3_6_kwh
    from hours

    union all

    select
        substring(cast(month_start_date as varchar), 1, 7) as period,
        at_7_2_kwh,
        at_3_6_kwh
    from hours

),

compared as (

    select
        period,
        max(at_7_2_kwh) as peak_at_7_2_kwh,
        max(at_3_6_kwh) as peak_at_3_6_kwh,
        sum(at_7_2_kwh) as energy_at_7_2_kwh,
        sum(at_3_6_kwh) as energy_at_3_6_kwh
    from periods
    group by period

),

final as (

    select
        -- keys
        period,

        -- measures
        peak_at_7_2_kwh,
        peak_at_3_6_kwh,
        peak_at_7_2_kwh - peak_at_3_6_kwh as peak_reduction_kwh,
        100 * cast(peak_at_7_2_kwh - peak_at_3_6_kwh as double)
        / nullif(cast(peak_at_7_2_kwh as double), 0) as peak_reduction_pct,
        energy_at_7_2_kwh,
        energy_at_3_6_kwh
    from compared
    order by case when period = 'all' then 0 else 1 end, period

)

select * from final
