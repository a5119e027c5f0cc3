-- Question: how much of the energy charged by day could be charged in the night, without anybody plugging in differently?
-- Who asks: pricing, to see what a night tariff can achieve at most.
-- How to read: one row per charging power and kind of the day of plug-in. A session can move what it charges outside
-- the night (00:00 to 06:00) as far as it stays connected and idle in the night: the smaller of its energy by day
-- and its flex load at night. `room_in_the_night_kwh` alone is larger: vehicles stay connected longer than they need.
-- The kind of day is that of the session's first hour.
with

loads as (

    select * from {{ ref('fct_hourly_loads') }}

),

quarter_hours as (

    select * from {{ ref('dim_time') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

hours as (

    select
        loads.*,
        quarter_hours.part_of_day = 'night' as is_night
    from loads
    inner join quarter_hours
        on loads.time_key = quarter_hours.time_key

),

sessions as (

    {% for power in ['3_6', '7_2'] -%}
    select
        {{ power | replace("_", ".") }} as charging_power_kw,
        session_key,
        user_key,
        min(date_key) as first_date,
        coalesce(sum(synthetic_{{ power }}_kwh), 0) as energy_kwh,
        coalesce(sum(case when not is_night then synthetic_{{ power }}_kwh end), 0) as energy_by_day_kwh,
        coalesce(sum(case when is_night then flex_{{ power }}_kwh end), 0) as room_in_the_night_kwh
    from hours
    group by session_key, user_key
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

movable as (

    select
        sessions.*,
        case when dates.is_weekend then 'weekend' else 'weekday' end as day_kind,
        case
            when sessions.energy_by_day_kwh < sessions.room_in_the_night_kwh then sessions.energy_by_day_kwh
            else sessions.room_in_the_night_kwh
        end as movable_kwh
    from sessions
    inner join dates
        on sessions.first_date = dates.date_key

),

final as (

    select
        -- keys
        charging_power_kw,
        day_kind,

        -- measures
        count(*) as charging_sessions,
        count(case when movable_kwh > 0 then 1 end) as sessions_that_could_move,
        sum(energy_kwh) as energy_kwh,
        sum(energy_by_day_kwh) as energy_by_day_kwh,
        sum(room_in_the_night_kwh) as room_in_the_night_kwh,
        sum(movable_kwh) as movable_kwh,
        cast(sum(movable_kwh) as double) / nullif(cast(sum(energy_kwh) as double), 0) as movable_share_of_energy
    from movable
    group by charging_power_kw, day_kind
    order by charging_power_kw, day_kind

)

select * from final
