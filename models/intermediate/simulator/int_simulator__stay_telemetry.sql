with

plug_ins as (

    select * from {{ ref('int_simulator__plug_ins') }}

),

stays as (

    select
        car_number,
        plug_in_number,
        plugged_in_at,
        plugged_out_at
    from plug_ins

),

cars as (

    select distinct
        run_id,
        user_id,
        car_number
    from plug_ins

),

telemetry as (

    select
        cars.car_number,
        telemetry.starts_at,
        telemetry.ends_at,
        telemetry.import_kwh,
        telemetry.export_kwh,
        telemetry.import_register_kwh,
        telemetry.export_register_kwh,
        telemetry.soc_pct
    from {{ ref('stg_simulator__telemetry') }} as telemetry
    inner join cars
        on
            telemetry.run_id = cars.run_id
            and telemetry.user_id = cars.user_id

),

intervals as (

    select
        telemetry.*,
        stays.plug_in_number,
        stays.plugged_in_at,
        stays.plugged_out_at
    from telemetry
    {{ join_latest('stays', 'stays', 'car_number', 'telemetry.car_number', 'plugged_in_at', 'telemetry.starts_at') }}

),

final as (

    select
        -- keys
        car_number,
        plug_in_number,

        -- attributes
        min(ends_at) as first_ends_at,
        max(ends_at) as last_ends_at,

        -- measures
        cast(count(*) as bigint) as intervals,
        cast(sum({{ microseconds_between('starts_at', 'ends_at') }}) / 1000000 as decimal(18, 6)) as covered_seconds,
        cast(sum(import_kwh) as decimal(18, 6)) as import_kwh,
        cast(sum(export_kwh) as decimal(18, 6)) as export_kwh,
        min(import_register_kwh) as lowest_import_register_kwh,
        max(import_register_kwh) as highest_import_register_kwh,
        min(export_register_kwh) as lowest_export_register_kwh,
        max(export_register_kwh) as highest_export_register_kwh,
        max_by(soc_pct, starts_at) as soc_pct
    from intervals
    where
        -- intervals before the first plug-in or after a plug-out belong to no stay
        plug_in_number is not null
        -- without one, no stay is held open by a stamp that can't be
        and starts_at < coalesce(plugged_out_at, plugged_in_at + interval {{ var('max_session_days') }} day)
    group by car_number, plug_in_number

)

select * from final
