with

sessions as (

    select
        vehicle_id,
        cast(started_local_at as date) as charged_on,
        cast(energy_kwh as double) / cast(soc_end_pct - soc_start_pct as double) * 100 as capacity_kwh
    from {{ ref('int_telematics__charging_sessions') }}
    where
        completeness = 'complete'
        and energy_source = 'delivered'
        and soc_end_pct - soc_start_pct >= {{ var('telematics_ageing_min_soc_pct') }}

),

measured as (

    select
        vehicle_id,
        count(*) as sessions,
        min(charged_on) as first_charged_on,
        max(charged_on) as last_charged_on,
        {{ value_at(percentiles('capacity_kwh', [50]), 1) }} as capacity_kwh
    from sessions
    group by vehicle_id

),

vehicles as (

    select *
    from {{ ref('dim_vehicle') }}
    where source_system = 'telematics'

),

aged as (

    select
        vehicles.vehicle_key,
        vehicles.battery_chemistry,
        vehicles.battery_kwh,
        measured.sessions,
        measured.capacity_kwh,
        measured.capacity_kwh / cast(vehicles.battery_kwh as double) as capacity_ratio,
        -- at the middle of the days on which it was charged
        (
            {{ dbt.datediff('vehicles.first_registered_on', 'measured.first_charged_on', 'day') }}
            + {{ dbt.datediff('vehicles.first_registered_on', 'measured.last_charged_on', 'day') }}
        ) / 2.0 / 365.25 as age_years
    from measured
    inner join vehicles
        on measured.vehicle_id = vehicles.vehicle_id
    where vehicles.battery_kwh > 0

),

final as (

    select
        -- keys
        vehicle_key,

        -- attributes
        battery_chemistry,
        battery_kwh,

        -- measures
        cast(age_years as double) as age_years,
        sessions,
        capacity_kwh,
        capacity_ratio
    from aged
    where
        battery_chemistry is not null
        and age_years >= 0

)

select * from final
