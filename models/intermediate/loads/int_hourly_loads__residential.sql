{{ config(materialized='view') }}
{% set time_zone = var('residential_timezone') %}

with

loads as (

    select * from {{ in_warehouse('stg_residential__hourly_loads') }}
    where not is_spacer

),

-- In the repeated autumn hour staging knows the place of a row by its offset, by an end that shows the same time as its
-- start, or by the order of two rows. A single row that ends an hour later on the clock can only be the second. One that
-- has no end proves nothing: it is taken as the first, and flagged.
placed as (

    select
        *,
        case
            when fold_minutes is null then 1
            when place_in_fold is not null then place_in_fold
            when load_ended_local_at is null then 1
            else 2
        end as hour_occurrence
    from loads

),

final as (

    select
        -- keys
        session_id,
        user_id,

        -- time
        {{ load_instant(time_zone) }} as load_started_at,
        load_started_local_at,
        hour_occurrence,
        fold_minutes,

        -- measures
        synthetic_3_6_kwh,
        synthetic_7_2_kwh,
        flex_3_6_kwh,
        flex_7_2_kwh,

        -- flags
        fold_minutes is not null and place_in_fold is null and load_ended_local_at is null as is_ambiguous_time
    from placed

)

select * from final
