-- depends_on: {{ ref('extract_charging_records') }}
-- depends_on: {{ ref('extract_drive_lengths') }}
-- depends_on: {{ ref('extract_vehicle_type_consumption') }}
-- depends_on: {{ ref('extract_battery_usage') }}
-- depends_on: {{ ref('extract_session_indicators') }}

with

listed as (

    select * from {{ ref('partner_extracts') }}

),

existing as (

    select
        table_name,
        column_name
    from information_schema.columns
    where
        table_catalog = current_database()
        and table_schema = 'extracts'

),

final as (

    select listed.*
    from listed
    left join existing
        on
            'extract_' || listed.extract = existing.table_name
            and listed.column_name = existing.column_name
    where existing.column_name is null

)

select * from final
