{% set tolerance_kwh = var('simulator_dispatch_tolerance_kwh') %}
{% set delivered_share = var('simulator_dispatch_delivered_share') %}
{% set min_days = var('simulator_baseline_min_days') %}

with

dispatches as (

    select * from {{ ref('int_simulator__dispatches') }}

),

windows as (

    select
        *,
        case
            when extract(isodow from first_half_hour_local_at) >= 6 then {{ min_days.weekend }} else {{ min_days.weekday }}
        end as min_like_days
    from {{ ref('int_simulator__dispatch_spans') }}
    where span = 'window'

),

rebounds as (

    select * from {{ ref('int_simulator__dispatch_spans') }}
    where span = 'rebound'

),

users as (

    select * from {{ ref('stg_simulator__users') }}

),

same_drivers as (

    select * from {{ ref('int_simulator__same_drivers') }}

),

compared as (

    select
        dispatches.*,
        users.archetype,
        windows.first_half_hour_local_at,
        windows.net_import_kwh,
        -windows.net_import_kwh as metered_kwh,
        -- where telemetry is missing, the meter has still said what it counted
        coalesce(-windows.net_import_kwh, dispatches.reported_kwh) as known_kwh,
        case when same_drivers.user_id is not null then windows.counterfactual_kwh end as counterfactual_kwh,
        coalesce(windows.like_days, 0) as like_days,
        case when windows.like_days >= windows.min_like_days then windows.baseline_kwh end as baseline_kwh,
        case
            when same_drivers.user_id is not null and rebounds.counterfactual_kwh is not null then 'counterfactual'
            when rebounds.like_days >= windows.min_like_days and rebounds.baseline_kwh is not null then 'baseline'
        end as rebound_reference,
        rebounds.net_import_kwh as rebound_net_import_kwh,
        rebounds.counterfactual_kwh as rebound_counterfactual_kwh,
        rebounds.baseline_kwh as rebound_baseline_kwh
    from dispatches
    left join users
        on
            dispatches.run_id = users.run_id
            and dispatches.user_id = users.user_id
    left join windows
        on
            dispatches.run_id = windows.run_id
            and dispatches.dispatch_id = windows.dispatch_id
            and dispatches.user_id = windows.user_id
    left join rebounds
        on
            dispatches.run_id = rebounds.run_id
            and dispatches.dispatch_id = rebounds.dispatch_id
            and dispatches.user_id = rebounds.user_id
    left join same_drivers
        on
            dispatches.run_id = same_drivers.run_id
            and dispatches.counterfactual_run_id = same_drivers.other_run_id
            and dispatches.user_id = same_drivers.user_id

),

final as (

    select
        -- keys
        run_id,
        dispatch_id,
        user_id,

        -- foreign keys
        counterfactual_run_id,

        -- attributes
        archetype,
        mode,
        instructed_at,
        acknowledged_at,
        window_starts_at,
        window_ends_at,
        first_half_hour_local_at as half_hour_local_at,
        case
            when acknowledged_at is null then 'not_acknowledged'
            when known_kwh >= {{ delivered_share }} * instructed_kwh - {{ tolerance_kwh }} then 'delivered'
            when known_kwh is not null and instructed_kwh is not null then 'acknowledged_not_delivered'
            else 'unknown'
        end as status,
        rebound_reference,

        -- measures
        instructed_kwh,
        cast(metered_kwh as decimal(18, 6)) as metered_kwh,
        reported_kwh,
        cast(like_days as integer) as baseline_days,
        baseline_kwh,
        cast(baseline_kwh - net_import_kwh as decimal(18, 6)) as delivered_kwh,
        counterfactual_kwh,
        cast(counterfactual_kwh - net_import_kwh as decimal(18, 6)) as true_delivered_kwh,
        cast(baseline_kwh - counterfactual_kwh as decimal(18, 6)) as baseline_error_kwh,
        cast(rebound_net_import_kwh - case
            when rebound_reference = 'counterfactual' then rebound_counterfactual_kwh
            when rebound_reference = 'baseline' then rebound_baseline_kwh
        end as decimal(18, 6)) as rebound_kwh,

        -- flags
        plugged_in_at is not null as is_connected,
        abs(metered_kwh - reported_kwh) > {{ tolerance_kwh }} as has_meter_conflict
    from compared

)

select * from final
