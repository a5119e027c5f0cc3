with

half_hours as (

    select
        run_id,
        archetype,
        cast(sum(import_kwh) as double) as import_kwh,
        cast(sum(import_kwh - export_kwh) as double) as net_kwh
    from {{ ref('int_simulator__car_half_hours') }}
    group by run_id, archetype

),

powers as (

    select
        run_id,
        archetype,
        resolution,
        sum(total_import_kw * half_hours) / 2 as import_kwh,
        sum(total_net_kw * half_hours) / 2 as net_kwh
    from {{ ref('power_by_archetype') }}
    where fleet_part = 'all'
    group by run_id, archetype, resolution

)

select
    half_hours.*,
    powers.resolution,
    powers.import_kwh as power_import_kwh,
    powers.net_kwh as power_net_kwh
from half_hours
left join powers
    on
        half_hours.run_id = powers.run_id
        and half_hours.archetype = powers.archetype
where
    powers.resolution is null
    -- sums of floating numbers
    or abs(half_hours.import_kwh - powers.import_kwh) > 1e-6 * (1 + abs(half_hours.import_kwh))
    or abs(half_hours.net_kwh - powers.net_kwh) > 1e-6 * (1 + abs(half_hours.import_kwh))
