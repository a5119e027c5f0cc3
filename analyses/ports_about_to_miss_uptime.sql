-- Question: which ports are about to miss the uptime that is required?
-- Who asks: operations, to mend first what costs the funding.
-- How to read: one row per port, by its last month, those with the least left first. `hours_left` is how much longer the
-- port may be down within the same twelve months (below 0: it has missed). `hours_lost_in_month` is what the last month
-- took, without excluded minutes. `missed` is at or below the limit; `at_risk` would be after another month like the last
-- one. A port that is observed for less than a year has less time to be down, and gains more with every month.
with

uptime as (

    select * from {{ ref('port_uptime_monthly') }}

),

ranked as (

    select
        *,
        row_number() over (partition by port_key order by month_start_date desc) as months_back,
        cast(denominator_minutes_12m as double) * (100 - {{ var('uptime_required_pct') }}) / 100 as minutes_allowed,
        outage_minutes_12m - excluded_minutes_12m as minutes_lost,
        down_minutes - excluded_minutes as minutes_lost_in_month
    from uptime

),

last_months as (

    select
        *,
        (minutes_allowed - cast(minutes_lost as double)) / 60 as hours_left,
        cast(minutes_lost_in_month as double) / 60 as hours_lost_in_month
    from ranked
    where months_back = 1

),

final as (

    select
        -- keys
        row_number() over (order by hours_left, station_id, evse_id) as place,
        station_id,
        evse_id,

        -- attributes
        site_id,
        month_start_date,
        case
            when not is_compliant then 'missed'
            when hours_left <= hours_lost_in_month then 'at_risk'
            else 'safe'
        end as state,

        -- measures
        uptime_pct,
        hours_left,
        hours_lost_in_month,
        cast(excluded_minutes_12m as double) / 60 as excluded_hours,

        -- flags
        is_scaled
    from last_months
    order by place

)

select * from final
