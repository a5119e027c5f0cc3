{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('telematics__injected_damage') }}",
    "{{ settle_repeated_rows(
        key=['damage_kind', 'vehicle_id', 'reference'],
        values=[],
    ) }}",
]) }}

with

source as (

    select * from {{ feed('telematics__injected_damage') }}

),

typed as (

    select
        *,
        {{ clean_text('damage_kind') }} as typed_damage_kind,
        nullif({{ normalised_id(clean_text('vehicle_id')) }}, '') as typed_vehicle_id,
        {{ to_iso_instant('reference') }} as typed_reference
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_damage_kind is null then 'missing_key:damage_kind'
                when typed_vehicle_id is null then 'missing_key:vehicle_id'
                when {{ is_missing('reference') }} then 'missing_key:reference'
                -- no IN list, which DuckDB joins to
                when
                    not list_contains(
                        [
                            'repeated_row',
                            'unit_slip',
                            'soc_error',
                            'odometer_error',
                            'overlap',
                            'fragmented_charge',
                            'missing_charge',
                            'missing_drive'
                        ],
                        typed_damage_kind
                    )
                    then 'unknown_kind:damage_kind'
            end,
            {{ time_fault('reference', 'typed_reference') }}
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_damage_kind as damage_kind,
        typed_vehicle_id as vehicle_id,
        typed_reference as reference,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
