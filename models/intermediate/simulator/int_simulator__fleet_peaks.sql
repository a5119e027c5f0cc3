with

comparisons as (

    select * from {{ ref('int_simulator__comparisons') }}

),

half_hours as (

    select
        run_id,
        user_id,
        half_hour_starts_at,
        import_kwh - export_kwh as net_import_kwh
    from {{ ref('int_simulator__car_half_hours') }}

),

compared_users as (

    select * from {{ ref('int_simulator__compared_users') }}

),

-- A larger fleet has a larger peak: only the drivers that both runs have count.
paired_users as (

    select
        run_id,
        user_id,
        is_reference,
        side_run_id
    from compared_users
    where is_paired

),

loads as (

    select
        paired_users.run_id,
        paired_users.is_reference,
        half_hours.half_hour_starts_at,
        sum(half_hours.net_import_kwh) as net_import_kwh
    from paired_users
    inner join comparisons
        on paired_users.run_id = comparisons.run_id
    inner join half_hours
        on
            paired_users.side_run_id = half_hours.run_id
            and paired_users.user_id = half_hours.user_id
            and comparisons.compared_from_at <= half_hours.half_hour_starts_at
            and comparisons.compared_until_at > half_hours.half_hour_starts_at
    group by paired_users.run_id, paired_users.is_reference, half_hours.half_hour_starts_at

),

final as (

    select
        -- keys
        run_id,
        is_reference,

        -- measures
        cast(max(net_import_kwh) * 2 as decimal(18, 6)) as peak_kw
    from loads
    group by run_id, is_reference

)

select * from final
