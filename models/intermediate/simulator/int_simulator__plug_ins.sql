{#- Numbers of the events, in the order in which those of one instant happen. -#}
{% set charge_stop, plug_out, plug_in, charge_start = 1, 2, 3, 4 %}

with

events as (

    select * from {{ ref('stg_simulator__plug_events') }}

),

-- one number in place of two texts, which everything below would carry and compare
cars as (

    select
        run_id,
        user_id,
        cast(row_number() over (order by run_id, user_id) as integer) as car_number
    from events
    group by run_id, user_id

),

numbered as (

    select
        cars.car_number,
        cast(
            case events.event
                when 'charge_stop' then {{ charge_stop }}
                when 'plug_out' then {{ plug_out }}
                when 'plug_in' then {{ plug_in }}
                else {{ charge_start }}
            end as tinyint
        ) as event,
        events.occurred_at,
        events.received_at,
        events.soc_pct,
        events.import_register_kwh,
        events.export_register_kwh
    from events
    inner join cars
        on
            events.run_id = cars.run_id
            and events.user_id = cars.user_id

),

placed as (

    select
        *,
        cast(
            count(case when event = {{ plug_in }} then 1 end) over (
                partition by car_number
                order by occurred_at, event
                rows between unbounded preceding and current row
            ) as integer
        ) as plug_in_number,
        lead(event) over (partition by car_number order by occurred_at, event) as next_event,
        lead(occurred_at) over (partition by car_number order by occurred_at, event) as next_occurred_at
    from numbered

),

charging as (

    select
        *,
        case
            when event = {{ charge_start }} and next_event in ({{ charge_stop }}, {{ plug_out }}) then next_occurred_at
        end as charge_stopped_at
    from placed

),

stays as (

    select
        car_number,
        plug_in_number,
        max(case when event = {{ plug_in }} then occurred_at end) as plugged_in_at,
        max(case when event = {{ plug_in }} then received_at end) as plug_in_received_at,
        max(case when event = {{ plug_in }} then soc_pct end) as plug_in_soc_pct,
        max(case when event = {{ plug_in }} then import_register_kwh end) as plug_in_import_register_kwh,
        max(case when event = {{ plug_in }} then export_register_kwh end) as plug_in_export_register_kwh,
        min(case when event = {{ plug_out }} then occurred_at end) as plugged_out_at,
        min_by(received_at, occurred_at) filter (where event = {{ plug_out }}) as plug_out_received_at,
        min_by(soc_pct, occurred_at) filter (where event = {{ plug_out }}) as plug_out_soc_pct,
        min_by(import_register_kwh, occurred_at) filter (where event = {{ plug_out }}) as plug_out_import_register_kwh,
        min_by(export_register_kwh, occurred_at) filter (where event = {{ plug_out }}) as plug_out_export_register_kwh,
        min(case when event = {{ charge_start }} then occurred_at end) as charging_started_at,
        max(coalesce(charge_stopped_at, case when event = {{ charge_stop }} then occurred_at end)) as charging_ended_at,
        sum({{ seconds_between('occurred_at', 'charge_stopped_at') }}) as charging_seconds,
        max(
            case when event = {{ charge_start }} and coalesce(next_event, {{ plug_in }}) = {{ plug_in }} then occurred_at end
        ) as unfinished_charging_started_at,
        bool_or(next_event is null) as is_last
    from charging
    where plug_in_number > 0
    group by car_number, plug_in_number

),

final as (

    select
        -- keys
        cars.run_id,
        cars.user_id,
        stays.plug_in_number,
        stays.car_number,

        -- attributes
        stays.plugged_in_at,
        stays.plugged_out_at,
        stays.charging_started_at,
        stays.charging_ended_at,
        stays.unfinished_charging_started_at,

        -- measures
        {{ seconds_between('stays.plugged_in_at', 'stays.plug_in_received_at') }} as plug_in_delay_seconds,
        {{ seconds_between('stays.plugged_out_at', 'stays.plug_out_received_at') }} as plug_out_delay_seconds,
        cast(coalesce(stays.charging_seconds, 0) as decimal(18, 6)) as charging_seconds,
        stays.plug_in_soc_pct,
        stays.plug_out_soc_pct,
        stays.plug_in_import_register_kwh,
        stays.plug_out_import_register_kwh,
        stays.plug_in_export_register_kwh,
        stays.plug_out_export_register_kwh,

        -- flags
        stays.is_last
    from stays
    inner join cars
        on stays.car_number = cars.car_number

)

select * from final
