with

sessions as (

    select
        month,
        vehicle_key,
        cast({{ rounded_to('soc_start_pct', var('extract_soc_class_pct')) }} as integer) as soc_start_pct,
        cast({{ rounded_to('soc_end_pct', var('extract_soc_class_pct')) }} as integer) as soc_end_pct,
        coalesce({{ class_by_bounds('max_power_kw', var('extract_power_class_kw')) }}, 'unknown') as power_class
    from {{ ref('session_indicators') }}
    where
        completeness in ('complete', 'incomplete')
        and soc_start_pct is not null
        and soc_end_pct is not null

),

vehicles as (

    select
        vehicle_key,
        client_id
    from {{ ref('dim_vehicle') }}

),

records as (

    select distinct * from sessions

),

common as (

    select
        month,
        soc_start_pct,
        soc_end_pct,
        power_class,
        count(*) as vehicles
    from records
    group by month, soc_start_pct, soc_end_pct, power_class

),

ordered as (

    select
        records.*,
        row_number() over (
            partition by records.month, records.vehicle_key
            order by common.vehicles desc, records.soc_start_pct, records.soc_end_pct, records.power_class
        ) as record_number
    from records
    inner join common
        on
            records.month = common.month
            and records.soc_start_pct = common.soc_start_pct
            and records.soc_end_pct = common.soc_end_pct
            and records.power_class = common.power_class

),

final as (

    select
        -- keys
        ordered.month,
        ordered.vehicle_key,
        cast(ordered.record_number as integer) as record_number,

        -- attributes
        vehicles.client_id,
        ordered.soc_start_pct,
        ordered.soc_end_pct,
        ordered.power_class,
        ordered.soc_start_pct || '-' || ordered.soc_end_pct || ' % ' || ordered.power_class || ' kW' as record
    from ordered
    inner join vehicles
        on ordered.vehicle_key = vehicles.vehicle_key
    where ordered.record_number <= {{ var('extract_records_per_vehicle') }}

)

select * from final
