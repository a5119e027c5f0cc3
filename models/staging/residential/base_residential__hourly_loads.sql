{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('residential__hourly_loads') }}",
    "{{ settle_repeated_rows(
        key=['session_id', 'user_id', 'load_started_local_at'],
        values=['load_ended_local_at', 'synthetic_3_6_kwh', 'synthetic_7_2_kwh', 'flex_3_6_kwh', 'flex_7_2_kwh'],
        fold='fold_minutes',
        place_in_fold='place_in_fold',
    ) }}",
]) }}
{% set format = '%d.%m.%Y %H:%M' %}
{% set time_zone = var('residential_timezone') %}
{% set minutes_on_the_clock = minutes_between('load_started_local_at', 'load_ended_local_at') %}
{% set minutes_by_offset = minutes_between('delivered_load_started_at', 'delivered_load_ended_at') %}
{% set minutes_in_utc = minutes_between(to_utc('load_started_local_at', time_zone), to_utc('load_ended_local_at', time_zone)) %}

with

source as (

    select * from {{ feed('residential__hourly_loads') }}

),

typed as (

    select
        -- names that differ in case only are one name to DuckDB
        * exclude ("session_ID", "User_ID"),

        -- keys
        {{ clean_text('"session_ID"') }} as session_id,
        {{ clean_text('"User_ID"') }} as user_id,

        -- time
        {{ to_local_time('date_from', format, time_zone) }} as load_started_local_at,
        {{ to_local_time('date_to', format, time_zone) }} as load_ended_local_at,
        {{ to_instant('date_from', format) }} as delivered_load_started_at,
        {{ to_instant('date_to', format) }} as delivered_load_ended_at,

        -- measures
        {%- for profile in load_profiles() %}
        {{ to_decimal('"' ~ profile.delivered_as ~ '"', 18, 6, ',') }} as {{ profile.name }}_kwh
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from source

),

placed as (

    select
        *,
        delivered_load_started_at is null
        and list_contains({{ gap_hours(time_zone) }}, load_started_local_at) as starts_in_gap,
        case when list_contains({{ fold_hours(time_zone) }}, load_started_local_at) then 60 end as fold_minutes,
        coalesce(
            session_id,
            user_id
            {%- for profile in load_profiles() %},
            cast({{ profile.name }}_kwh as varchar)
            {%- endfor %}
        ) is null as is_spacer
    from typed

),

-- Nearly every row is plain: one condition finds those, and only the others are asked for their fault.
judged as (

    select
        *,
        case
            when
                _line_fault is null
                and session_id is not null
                and load_started_local_at >= cast('{{ var("earliest_date") }}' as timestamp)
                and load_ended_local_at < cast('{{ var("as_of") }}' as timestamp)
                and load_ended_local_at = load_started_local_at + interval 1 hour
                and delivered_load_started_at is null
                and load_started_local_at = date_trunc('hour', load_started_local_at)
                and starts_in_gap is not true
                {%- for profile in load_profiles() %}
                and {{ is_plain_number(
                    '"' ~ profile.delivered_as ~ '"', profile.name ~ '_kwh', var('energy_tolerance') * profile.power_kw
                ) }}
                {%- endfor %}
                then null
            else coalesce(
                _line_fault,
                case when {{ is_missing('date_from') }} then 'missing_key:date_from' end,
                {{ time_fault('date_from', 'load_started_local_at') }},
                {{ time_fault('date_to', 'load_ended_local_at', is_end_of_hour=true) }},
                case
                    when load_started_local_at <> date_trunc('hour', load_started_local_at) then 'not_an_hour:date_from'
                    when starts_in_gap then 'nonexistent_time:date_from'
                end,
                case
                    when coalesce({{ minutes_by_offset }}, {{ minutes_on_the_clock }}) = 60 then null
                    when coalesce({{ minutes_by_offset }}, {{ minutes_on_the_clock }}) < 0 then 'end_before_start:date_to'
                    when {{ minutes_by_offset }} <> 60 then 'not_an_hour:date_to'
                    -- an hour in which the clock is changed is one of 60 minutes all the same
                    when {{ minutes_on_the_clock }} = 60 - fold_minutes then null
                    when {{ minutes_in_utc }} <> 60 then 'not_an_hour:date_to'
                end,
                {%- for profile in load_profiles() %}
                {{ number_fault('"' ~ profile.delivered_as ~ '"', profile.name ~ '_kwh', ',') }},
                case
                    when {{ profile.name }}_kwh < 0 then 'negative_energy:{{ profile.delivered_as }}'
                    when {{ profile.name }}_kwh > {{ var('energy_tolerance') * profile.power_kw }}
                        then 'implausible_energy:{{ profile.delivered_as }}'
                end,
                {%- endfor %}
                case when session_id is null and not is_spacer then 'missing_key:session_ID' end
            )
        end as rejection_reason
    from placed

),

final as (

    select
        -- keys
        session_id,
        user_id,

        -- time
        load_started_local_at,
        load_ended_local_at,
        fold_minutes,
        -- an offset says which of the two hours is meant, and so does an end that shows the same time as the start
        case
            when fold_minutes is null then cast(null as integer)
            when delivered_load_started_at = {{ to_utc('load_started_local_at', time_zone) }} then 2
            when delivered_load_started_at is not null or load_ended_local_at = load_started_local_at then 1
        end as place_in_fold,

        -- measures
        {%- for profile in load_profiles() %}
        {{ profile.name }}_kwh,
        {%- endfor %}

        -- flags
        is_spacer,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
