{% set bounds = var('telematics_battery_class_kwh') %}

with

vehicles as (

    select * from {{ ref('stg_telematics__vehicles') }}

),

logged as (

    select
        vehicle_id,
        min(supplier) as supplier
    from {{ ref('int_telematics__records') }}
    group by vehicle_id

),

named as (

    select
        coalesce(vehicles.vehicle_id, logged.vehicle_id) as vehicle_id,
        coalesce(vehicles.supplier, logged.supplier) as supplier,
        vehicles.* exclude (vehicle_id, supplier)
    from vehicles
    full outer join logged
        on vehicles.vehicle_id = logged.vehicle_id

),

final as (

    select
        -- keys
        {{ surrogate_key(["'telematics'", 'vehicle_id']) }} as vehicle_key,
        'telematics' as source_system,
        vehicle_id,

        -- attributes
        client_id,
        supplier,
        vehicle_type,
        battery_chemistry,
        coalesce(
            battery_chemistry || ', ' || case
                {%- for bound in bounds %}
                when battery_kwh <= {{ bound }}
                    then '{{ 'up to' if loop.first else bounds[loop.index0 - 1] ~ ' to' }} {{ bound }} kWh'
                {%- endfor %}
                when battery_kwh > {{ bounds | last }} then 'above {{ bounds | last }} kWh'
            end,
            'unknown'
        ) as battery_class,
        region,
        first_registered_on,

        -- measures
        battery_kwh
    from named

    union all

    select
        {{ unknown_key() }} as vehicle_key,
        'unknown' as source_system,
        'unknown' as vehicle_id,
        cast(null as varchar) as client_id,
        cast(null as varchar) as supplier,
        cast(null as varchar) as vehicle_type,
        cast(null as varchar) as battery_chemistry,
        'unknown' as battery_class,
        cast(null as varchar) as region,
        cast(null as date) as first_registered_on,
        cast(null as decimal(18, 6)) as battery_kwh

)

select * from final
