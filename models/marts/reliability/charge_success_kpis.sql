{% set percentiles = [10, 25, 50, 75] %}

with

-- What is still open has no result yet.
attempts as (

    select
        site_id,
        charger_id as station_id,
        station_key,
        cast(date_trunc('month', date_key) as date) as month_start_date,
        attempt_mode,
        outcome = 'open' as is_open,
        has_power_delivery and outcome <> 'open' as has_power_delivery,
        has_valid_stop and outcome <> 'open' as has_valid_stop,
        case when has_power_delivery and outcome <> 'open' then charge_start_seconds end as charge_start_seconds
    from {{ ref('fct_charge_attempts') }}

),

counted as (

    select
        case
            when grouping(station_id) = 0 then 'station'
            when grouping(site_id) = 0 then 'site'
            else 'total'
        end as scope,
        site_id,
        station_key,
        station_id,
        month_start_date,
        case when grouping(attempt_mode) = 0 then attempt_mode else 'pooled' end as attempt_mode,
        count(*) as attempts,
        count(case when is_open then 1 end) as open_attempts,
        count(case when not is_open then 1 end) as finished_attempts,
        count(case when has_power_delivery then 1 end) as power_delivery_attempts,
        count(case when has_valid_stop then 1 end) as valid_stops,
        count(case when has_power_delivery and has_valid_stop then 1 end) as completed_power_deliveries,
        {%- for percentile in percentiles %}
        percentile_cont({{ percentile / 100 }}) within group (order by charge_start_seconds)
            as charge_start_seconds_p{{ percentile }},
        {%- endfor %}
        count(charge_start_seconds) as attempts_with_start_time
    from attempts
    group by
        rollup(site_id, (station_key, station_id)),
        cube(month_start_date),
        cube(attempt_mode)
    -- an empty network has no attempts, and no row of totals
    having count(*) > 0

),

final as (

    select
        -- keys
        scope,
        site_id,
        station_id,
        month_start_date,
        attempt_mode,

        -- foreign keys
        station_key,

        -- measures: counts
        attempts,
        open_attempts,
        finished_attempts,
        power_delivery_attempts,
        valid_stops,
        completed_power_deliveries,
        attempts_with_start_time,

        -- measures: success
        cast(power_delivery_attempts as double) / nullif(finished_attempts, 0) as charge_start_success,
        cast(completed_power_deliveries as double) / nullif(power_delivery_attempts, 0) as charge_end_success,
        cast(valid_stops as double) / nullif(finished_attempts, 0) as session_success,

        -- measures: time to start
        {%- for percentile in percentiles %}
        cast(charge_start_seconds_p{{ percentile }} as double) as charge_start_seconds_p{{ percentile }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from counted

)

select * from final
