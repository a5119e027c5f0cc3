with

users as (

    select * from {{ ref('stg_simulator__users') }}

),

run_spans as (

    select
        run_id,
        min(departed_at) as first_departed_at,
        max(arrived_at) as last_arrived_at
    from {{ ref('stg_simulator__trips') }}
    group by run_id

),

final as (

    select
        -- keys
        users.run_id,
        users.user_id,

        -- foreign keys
        {{ surrogate_key(["'simulator'", path_of(['users.run_id', 'users.user_id'])]) }} as user_key,

        -- attributes
        cast({{ to_local_by('run_spans.first_departed_at', 'users.time_zone') }} as date) as first_date,
        cast({{ to_local_by('run_spans.last_arrived_at', 'users.time_zone') }} as date) as last_date
    from users
    inner join run_spans
        on users.run_id = run_spans.run_id

)

select * from final
