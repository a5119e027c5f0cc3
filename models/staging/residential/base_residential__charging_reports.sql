{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('residential__charging_reports') }}",
    "{{ settle_repeated_rows(
        key=['session_id'],
        values=[
            'garage_id', 'user_id', 'shared_id', 'user_kind', 'plugged_in_local_at', 'plugged_out_local_at',
            'energy_kwh', 'reported_hours',
        ],
    ) }}",
]) }}
{% set format = '%d.%m.%Y %H:%M' %}
{% set time_zone = var('residential_timezone') %}
{% set earliest_plug_in = 'coalesce(delivered_plugged_in_at, ' ~ earlier_utc('plugged_in_local_at', time_zone) ~ ')' %}
{% set hours_in_range = "date_diff('hour', date '" ~ var('earliest_date') ~ "', date '" ~ var('as_of') ~ "')" %}
{% set latest_plug_out = 'coalesce(delivered_plugged_out_at, ' ~ to_utc('plugged_out_local_at', time_zone) ~ ')' %}

with

source as (

    select * from {{ feed('residential__charging_reports') }}

),

typed as (

    select
        -- names that differ in case only are one name to DuckDB
        * exclude ("session_ID", "Garage_ID", "User_ID", "Shared_ID"),

        -- keys
        {{ clean_text('"session_ID"') }} as session_id,
        {{ clean_text('"Garage_ID"') }} as garage_id,
        {{ clean_text('"User_ID"') }} as user_id,
        {{ clean_text('"Shared_ID"') }} as shared_id,

        -- attributes
        {{ clean_text('"User_type"') }} as user_kind,

        -- time
        {{ to_local_time('Start_plugin', format, time_zone) }} as plugged_in_local_at,
        {{ to_local_time('End_plugout', format, time_zone) }} as plugged_out_local_at,
        {{ to_instant('Start_plugin', format) }} as delivered_plugged_in_at,
        {{ to_instant('End_plugout', format) }} as delivered_plugged_out_at,

        -- measures
        {{ to_decimal('El_kWh', 18, 6, ',') }} as energy_kwh,
        {{ to_decimal('Duration_hours', 18, 9, ',') }} as reported_hours
    from source

),

placed as (

    select
        *,
        delivered_plugged_in_at is null
        and {{ is_in_gap('plugged_in_local_at', time_zone) }} as starts_in_gap,
        delivered_plugged_out_at is null
        and {{ is_in_gap('plugged_out_local_at', time_zone) }} as ends_in_gap,
        case
            when delivered_plugged_in_at is null then {{ fold_minutes('plugged_in_local_at', time_zone) }}
        end as plugged_in_fold_minutes,
        case
            when delivered_plugged_out_at is null then {{ fold_minutes('plugged_out_local_at', time_zone) }}
        end as plugged_out_fold_minutes,
        -- of a stamp in the repeated hour, the instant that makes the session longest
        {{ minutes_between(earliest_plug_in, latest_plug_out) }} as longest_minutes
    from typed

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case when session_id is null then 'missing_key:session_ID' end,
            case when {{ is_missing('Start_plugin') }} then 'missing_value:Start_plugin' end,
            {{ time_fault('Start_plugin', 'plugged_in_local_at') }},
            {{ time_fault('End_plugout', 'plugged_out_local_at') }},
            case when starts_in_gap then 'nonexistent_time:Start_plugin' end,
            case when ends_in_gap then 'nonexistent_time:End_plugout' end,
            case when {{ is_missing('El_kWh') }} then 'missing_value:El_kWh' end,
            {{ number_fault('El_kWh', 'energy_kwh', ',') }},
            {{ number_fault('Duration_hours', 'reported_hours', ',') }},
            case
                when longest_minutes < 0 then 'end_before_start:End_plugout'
                when reported_hours < 0 then 'end_before_start:Duration_hours'
                when reported_hours > {{ hours_in_range }} then 'out_of_range:Duration_hours'
            end,
            case when energy_kwh < 0 then 'negative_energy:El_kWh' end,
            case
                when
                    energy_kwh > {{ var('battery_tolerance') }} * {{ var('max_battery_kwh') }}
                    -- the longest that the session can have been: reported, or by its stamps, whose seconds are cut
                    or energy_kwh > {{ var('energy_tolerance') }} * {{ var('residential_port_power_kw') }} * greatest(
                        reported_hours,
                        (longest_minutes + 1) / 60
                    )
                    then 'implausible_energy:El_kWh'
            end
        ) as rejection_reason
    from placed

),

final as (

    select
        -- keys
        session_id,
        garage_id,
        user_id,
        shared_id,

        -- attributes
        user_kind,

        -- time
        plugged_in_local_at,
        plugged_out_local_at,
        delivered_plugged_in_at,
        delivered_plugged_out_at,
        plugged_in_fold_minutes,
        plugged_out_fold_minutes,

        -- measures
        energy_kwh,
        reported_hours,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
