{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('network__outage_exclusions') }}",
    "{{ settle_repeated_rows(
        key=['station_id', 'evse_id', 'excluded_from', 'excluded_until'],
        values=['reason'],
    ) }}",
]) }}

with

source as (

    select * from {{ feed('network__outage_exclusions') }}

),

typed as (

    select
        *,
        {{ clean_text('station_id') }} as typed_station_id,
        {{ to_decimal('evse_id', 18, 6) }} as typed_evse_id,
        {{ to_iso_instant('excluded_from') }} as typed_excluded_from,
        {{ to_iso_instant('excluded_until') }} as typed_excluded_until,
        {{ clean_text('reason') }} as typed_reason
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_station_id is null then 'missing_key:station_id'
                when {{ is_missing('excluded_from') }} then 'missing_key:excluded_from'
                when {{ is_missing('excluded_until') }} then 'missing_key:excluded_until'
            end,
            {{ number_fault('evse_id', 'typed_evse_id') }},
            case when {{ is_no_evse_id('typed_evse_id') }} then 'out_of_range:evse_id' end,
            {{ time_fault('excluded_from', 'typed_excluded_from') }},
            {{ time_fault('excluded_until', 'typed_excluded_until') }},
            case when typed_excluded_until <= typed_excluded_from then 'end_before_start:excluded_until' end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_station_id as station_id,
        try_cast(typed_evse_id as integer) as evse_id,
        typed_excluded_from as excluded_from,
        typed_excluded_until as excluded_until,

        -- attributes
        typed_reason as reason,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
