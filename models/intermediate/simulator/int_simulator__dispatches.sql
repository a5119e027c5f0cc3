with

events as (

    select * from {{ ref('stg_simulator__dispatches') }}

),

stays as (

    select
        run_id,
        user_id,
        plugged_in_at,
        ended_at
    from {{ ref('int_simulator__stays') }}

),

-- Every event of a dispatch repeats its window and its mode, so that a lost one costs only what it alone says.
dispatches as (

    select
        run_id,
        dispatch_id,
        user_id,
        max(mode) as mode,
        max(counterfactual_run_id) as counterfactual_run_id,
        min(window_starts_at) as window_starts_at,
        max(window_ends_at) as window_ends_at,
        max(case when event = 'instructed' then occurred_at end) as instructed_at,
        max(case when event = 'acknowledged' then occurred_at end) as acknowledged_at,
        max(case when event = 'instructed' then energy_kwh end) as instructed_kwh,
        max(case when event = 'metered' then energy_kwh end) as reported_kwh
    from events
    group by run_id, dispatch_id, user_id

),

-- Stays don't overlap: the last one that shares time with the window is the one that ends last.
connections as (

    select
        dispatches.run_id,
        dispatches.dispatch_id,
        dispatches.user_id,
        max(stays.plugged_in_at) as plugged_in_at,
        max(stays.ended_at) as stay_ended_at
    from dispatches
    inner join stays
        on
            dispatches.run_id = stays.run_id
            and dispatches.user_id = stays.user_id
            and dispatches.window_ends_at > stays.plugged_in_at
            and dispatches.window_starts_at < stays.ended_at
    group by dispatches.run_id, dispatches.dispatch_id, dispatches.user_id

),

final as (

    select
        -- keys
        dispatches.run_id,
        dispatches.dispatch_id,
        dispatches.user_id,

        -- foreign keys
        dispatches.counterfactual_run_id,

        -- attributes
        dispatches.mode,
        dispatches.window_starts_at,
        dispatches.window_ends_at,
        dispatches.instructed_at,
        dispatches.acknowledged_at,
        connections.plugged_in_at,
        connections.stay_ended_at,

        -- measures
        dispatches.instructed_kwh,
        dispatches.reported_kwh
    from dispatches
    left join connections
        on
            dispatches.run_id = connections.run_id
            and dispatches.dispatch_id = connections.dispatch_id
            and dispatches.user_id = connections.user_id

)

select * from final
