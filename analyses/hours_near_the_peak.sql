-- Question: for how many hours is the load above 80 and above 90 % of its peak, and how much energy lies up there?
-- Who asks: grid planners who weigh a larger connection against load management.
-- How to read: few hours and little energy above the threshold mean that shifting a handful of sessions replaces the
-- cable; `energy_above_kwh` is what has to be moved so that no hour exceeds the threshold.
{% set thresholds = [0.8, 0.9] %}

with

hourly_load as (

    select * from {{ ref('hourly_load') }}

),

daily_load as (

    select * from {{ ref('daily_load') }}

),

peaks as (

    select
        load_profile,
        max(energy_kwh) as peak_kwh
    from hourly_load
    group by load_profile

),

calendar as (

    select
        load_profile,
        sum(hours_in_day) as hours
    from daily_load
    group by load_profile

),

thresholds as (

    {% for threshold in thresholds -%}
    select
        load_profile,
        peak_kwh,
        {{ threshold }} as threshold,
        {{ threshold }} * peak_kwh as threshold_kwh
    from peaks
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

above as (

    select
        thresholds.load_profile,
        thresholds.threshold,
        count(*) as hours_above,
        count(distinct hourly_load.date_key) as days_above,
        sum(hourly_load.energy_kwh - thresholds.threshold_kwh) as energy_above_kwh
    from hourly_load
    inner join thresholds
        on
            hourly_load.load_profile = thresholds.load_profile
            and hourly_load.energy_kwh > thresholds.threshold_kwh
    group by thresholds.load_profile, thresholds.threshold

),

final as (

    select
        -- keys
        thresholds.load_profile,
        thresholds.threshold,

        -- measures
        thresholds.peak_kwh,
        thresholds.threshold_kwh,
        coalesce(above.hours_above, 0) as hours_above,
        coalesce(above.days_above, 0) as days_above,
        cast(coalesce(above.hours_above, 0) as double) / calendar.hours as share_of_hours,
        coalesce(above.energy_above_kwh, 0) as energy_above_kwh
    from thresholds
    inner join calendar
        on thresholds.load_profile = calendar.load_profile
    left join above
        on
            thresholds.load_profile = above.load_profile
            and thresholds.threshold = above.threshold
    order by thresholds.load_profile, thresholds.threshold

)

select * from final
