with

reports as (

    select * from {{ ref('stg_residential__charging_reports') }}
    where user_id is not null

),

loads as (

    select distinct user_id
    from {{ ref('stg_residential__hourly_loads') }}
    where user_id is not null

),

experiment_users as (

    select distinct user_id
    from {{ ref('stg_experiment__users') }}

    union

    select distinct user_id
    from {{ ref('stg_experiment__sessions') }}
    where user_id is not null

),

experiment_sessions as (

    select
        user_id,
        min(plugged_in_at) as first_plug_in_at
    from {{ ref('stg_experiment__sessions') }}
    where user_id is not null
    group by user_id

),

network_drivers as (

    select
        id_token as user_id,
        min(site_id) as first_site_id,
        count(distinct site_id) as sites,
        {{ surrogate_key(["'network'", 'id_token']) }} as user_key
    from {{ ref('int_network__visit_attempts') }}
    where id_token is not null
    group by id_token

),

network_sessions as (

    select
        user_key,
        min(plugged_in_local_at) as first_plug_in_local_at
    from {{ ref('int_charging_sessions__network') }}
    group by user_key

),

simulated_drivers as (

    select
        run_id || '/' || user_id as user_id,
        {{ surrogate_key(["'simulator'", "run_id || '/' || user_id"]) }} as user_key
    from (
        select run_id, user_id
        from {{ ref('stg_simulator__users') }}

        union

        select run_id, user_id
        from {{ ref('int_simulator__stays') }}
    )

),

simulated_sessions as (

    select
        user_key,
        min(plugged_in_local_at) as first_plug_in_local_at
    from {{ ref('int_charging_sessions__simulator') }}
    group by user_key

),

reported as (

    select
        user_id,
        min(garage_id) as first_site_id,
        count(distinct garage_id) as sites,
        bool_or(shared_id is null) as has_private_station,
        min(plugged_in_local_at) as first_plug_in_local_at
    from reports
    group by user_id

),

users as (

    select
        coalesce(reported.user_id, loads.user_id) as user_id,
        reported.* exclude (user_id)
    from reported
    full outer join loads
        on reported.user_id = loads.user_id

),

final as (

    select
        -- keys
        {{ surrogate_key(["'residential'", 'user_id']) }} as user_key,
        'residential' as source_system,
        user_id,

        -- attributes
        first_site_id,
        cast(coalesce(sites, 0) as integer) as sites,
        has_private_station,
        first_plug_in_local_at
    from users

    union all

    select
        {{ surrogate_key(["'experiment'", 'experiment_users.user_id']) }} as user_key,
        'experiment' as source_system,
        experiment_users.user_id,
        cast(null as varchar) as first_site_id,
        0 as sites,
        cast(null as boolean) as has_private_station,
        {{ to_local('experiment_sessions.first_plug_in_at', var('experiment_timezone')) }} as first_plug_in_local_at
    from experiment_users
    left join experiment_sessions
        on experiment_users.user_id = experiment_sessions.user_id

    union all

    select
        network_drivers.user_key,
        'network' as source_system,
        network_drivers.user_id,
        network_drivers.first_site_id,
        cast(network_drivers.sites as integer) as sites,
        case when network_sessions.user_key is not null then false end as has_private_station,
        network_sessions.first_plug_in_local_at
    from network_drivers
    left join network_sessions
        on network_drivers.user_key = network_sessions.user_key

    union all

    select
        simulated_drivers.user_key,
        'simulator' as source_system,
        simulated_drivers.user_id,
        cast(null as varchar) as first_site_id,
        0 as sites,
        cast(null as boolean) as has_private_station,
        simulated_sessions.first_plug_in_local_at
    from simulated_drivers
    left join simulated_sessions
        on simulated_drivers.user_key = simulated_sessions.user_key

    union all

    select
        {{ unknown_key() }} as user_key,
        'unknown' as source_system,
        'unknown' as user_id,
        cast(null as varchar) as first_site_id,
        0 as sites,
        cast(null as boolean) as has_private_station,
        cast(null as timestamp) as first_plug_in_local_at

)

select * from final
