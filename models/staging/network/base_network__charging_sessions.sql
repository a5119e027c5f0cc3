{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('network__charging_sessions') }}",
    "{{ settle_repeated_rows(
        key=['session_id'],
        values=['station_id', 'started_at', 'ended_at', 'energy_kwh', 'has_succeeded'],
    ) }}",
]) }}

with

source as (

    select * from {{ feed('network__charging_sessions') }}

),

typed as (

    select
        *,
        {{ clean_text('session_id') }} as typed_session_id,
        {{ clean_text('station_id') }} as typed_station_id,
        {{ to_iso_instant('started_at') }} as typed_started_at,
        {{ to_iso_instant('ended_at') }} as typed_ended_at,
        {{ to_decimal('energy_kwh', 18, 6) }} as typed_energy_kwh,
        {{ to_boolean('succeeded') }} as has_succeeded
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_session_id is null then 'missing_key:session_id'
                when typed_station_id is null then 'missing_value:station_id'
                when {{ is_missing('started_at') }} then 'missing_value:started_at'
            end,
            {{ time_fault('started_at', 'typed_started_at') }},
            {{ time_fault('ended_at', 'typed_ended_at') }},
            {{ number_fault('energy_kwh', 'typed_energy_kwh') }},
            {{ boolean_fault('succeeded', 'has_succeeded') }},
            case
                when typed_ended_at < typed_started_at then 'end_before_start:ended_at'
                when typed_energy_kwh < 0 then 'negative_energy:energy_kwh'
                when
                    typed_energy_kwh > {{ var('battery_tolerance') }} * {{ var('max_battery_kwh') }}
                    -- stamps may be cut to the minute
                    or typed_energy_kwh > {{ var('energy_tolerance') }} * {{ var('network_port_power_kw') }}
                    * ({{ minutes_between('typed_started_at', 'typed_ended_at') }} + 1) / 60
                    then 'implausible_energy:energy_kwh'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_session_id as session_id,
        typed_station_id as station_id,

        -- time
        typed_started_at as started_at,
        typed_ended_at as ended_at,

        -- measures
        typed_energy_kwh as energy_kwh,

        -- flags
        has_succeeded,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
