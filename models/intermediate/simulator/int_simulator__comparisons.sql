with

half_hours as (

    select * from {{ ref('int_simulator__car_half_hours') }}

),

dispatched_runs as (

    select distinct run_id from {{ ref('stg_simulator__dispatches') }}

),

runs as (

    select
        run_id,
        min(half_hour_starts_at) as first_half_hour_at,
        max(half_hour_starts_at) as last_half_hour_at
    from half_hours
    group by run_id

),

-- A dispatch changes what a controller does: what is compared with it would be owed to both.
reference_runs as (

    select
        coalesce(
            max(case when runs.run_id = '{{ var("simulator_reference_run") }}' then runs.run_id end),
            min(case when dispatched_runs.run_id is null then runs.run_id end),
            min(runs.run_id)
        ) as run_id
    from runs
    left join dispatched_runs
        on runs.run_id = dispatched_runs.run_id

),

-- What only one of two runs has seen would be a difference of the weeks, not of the controllers.
final as (

    select
        -- keys
        runs.run_id,

        -- foreign keys
        reference.run_id as reference_run_id,

        -- attributes
        greatest(runs.first_half_hour_at, reference.first_half_hour_at) as compared_from_at,
        least(runs.last_half_hour_at, reference.last_half_hour_at) + interval 30 minute as compared_until_at,

        -- measures
        cast({{ var('simulator_alpha') }} as double) as alpha
    from runs
    inner join reference_runs
        on runs.run_id <> reference_runs.run_id
    inner join runs as reference
        on reference_runs.run_id = reference.run_id

)

select * from final
