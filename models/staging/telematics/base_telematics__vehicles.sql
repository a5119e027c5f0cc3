{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('telematics__vehicles') }}",
    "{{ settle_repeated_rows(
        key=['vehicle_id'],
        values=[
            'client_id',
            'supplier',
            'vehicle_type',
            'battery_kwh',
            'battery_chemistry',
            'region',
            'first_registered_on',
        ],
    ) }}",
]) }}

with

source as (

    select * from {{ feed('telematics__vehicles') }}

),

typed as (

    select
        *,
        nullif({{ normalised_id(clean_text('vehicle_id')) }}, '') as typed_vehicle_id,
        nullif({{ normalised_id(clean_text('client_id')) }}, '') as typed_client_id,
        {{ clean_text('supplier') }} as typed_supplier,
        {{ clean_text('vehicle_type') }} as typed_vehicle_type,
        {{ to_decimal('battery_kwh', 18, 6) }} as typed_battery_kwh,
        {{ clean_text('battery_chemistry') }} as typed_battery_chemistry,
        {{ clean_text('region') }} as typed_region,
        {{ to_date('first_registered_on') }} as typed_first_registered_on
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_vehicle_id is null then 'missing_key:vehicle_id'
                when typed_supplier is null then 'missing_value:supplier'
                when not {{ is_of_supplier('typed_supplier', var('telematics_suppliers')) }}
                    then 'unknown_supplier:supplier'
                when typed_battery_chemistry not in ('NMC', 'LFP') then 'unknown_chemistry:battery_chemistry'
            end,
            {{ number_fault('battery_kwh', 'typed_battery_kwh') }},
            case
                when not typed_battery_kwh between 1 and {{ var('battery_tolerance') * var('max_battery_kwh') }}
                    then 'out_of_range:battery_kwh'
            end,
            case
                when typed_first_registered_on is null and not {{ is_missing('first_registered_on') }}
                    then 'not_a_date:first_registered_on'
                -- a vehicle may be older than anything that is logged of it
                when not typed_first_registered_on between cast('1970-01-01' as date) and cast('{{ var("as_of") }}' as date)
                    then 'time_out_of_range:first_registered_on'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_vehicle_id as vehicle_id,

        -- foreign keys
        typed_client_id as client_id,

        -- attributes
        typed_supplier as supplier,
        typed_vehicle_type as vehicle_type,
        typed_battery_chemistry as battery_chemistry,
        typed_region as region,
        typed_first_registered_on as first_registered_on,

        -- measures
        typed_battery_kwh as battery_kwh,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
