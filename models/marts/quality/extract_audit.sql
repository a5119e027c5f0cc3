with

drive_cells as (

    select * from {{ ref('int_extracts__drive_cells') }}

),

vehicle_types as (

    select * from {{ ref('int_extracts__vehicle_types') }}

),

type_cells as (

    select * from {{ ref('int_extracts__type_cells') }}

),

battery_classes as (

    select * from {{ ref('int_extracts__battery_classes') }}

),

battery_cells as (

    select * from {{ ref('int_extracts__battery_cells') }}

),

session_places as (

    select * from {{ ref('int_extracts__session_places') }}

),

record_sets as (

    select * from {{ ref('int_extracts__record_sets') }}

),

cells as (

    select
        'drive_lengths' as extract,
        {{ month_of('drive_date') }} as month,
        drive_date || ' / ' || day_period as cell,
        vehicles,
        clients,
        hidden_reason
    from drive_cells

    union all

    select
        'vehicle_type_consumption' as extract,
        month,
        vehicle_type as cell,
        vehicles,
        clients,
        null as hidden_reason
    from type_cells

    union all

    select
        'vehicle_type_consumption' as extract,
        month,
        vehicle_type as cell,
        vehicles,
        clients,
        case when published_class is not null then 'merged' else coalesce(hidden_reason, 'complementary') end as hidden_reason
    from vehicle_types
    where published_class is distinct from vehicle_type

    union all

    select
        'battery_usage' as extract,
        month,
        battery_class as cell,
        vehicles,
        clients,
        null as hidden_reason
    from battery_cells

    union all

    select
        'battery_usage' as extract,
        month,
        battery_class as cell,
        vehicles,
        clients,
        case when published_class is not null then 'merged' else coalesce(hidden_reason, 'complementary') end as hidden_reason
    from battery_classes
    where published_class is distinct from battery_class

    union all

    select
        'session_indicators' as extract,
        month,
        place as cell,
        vehicles,
        clients,
        case when not is_published then coalesce(hidden_reason, 'complementary') end as hidden_reason
    from session_places

    union all

    select
        'charging_records' as extract,
        month,
        record_set as cell,
        count(*) as vehicles,
        count(distinct client_id) as clients,
        hidden_reason
    from record_sets
    group by month, record_set, hidden_reason

),

final as (

    select
        -- keys
        extract,
        month,
        cell,

        -- attributes
        hidden_reason,

        -- measures
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients,

        -- flags
        hidden_reason is null as is_published
    from cells

)

select * from final
