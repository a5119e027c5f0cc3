with

attempts as (

    select * from {{ ref('int_network__attempts') }}

),

stations as (

    select * from {{ ref('stg_network__stations') }}

),

ports as (

    select * from {{ ref('stg_network__ports') }}

),

placed as (

    select
        attempts.*,
        coalesce(stations.site_id, attempts.charger_id) as site_id,
        coalesce(ports.port_timezone, stations.site_timezone, '{{ var("network_timezone") }}') as site_timezone,
        -- where the port isn't known, nobody else's attempt is known to be at the same one
        attempts.charger_id || '/' || coalesce(cast(attempts.evse_id as varchar), attempts.attempt_id) as place,
        -- of one that is still open nothing but the begin is known
        greatest(attempts.started_at, coalesce(attempts.ended_at, attempts.started_at)) as lasted_until,
        attempts.transaction_id is not null as has_transaction
    from attempts
    left join stations
        on attempts.charger_id = stations.station_id
    left join ports
        on
            attempts.charger_id = ports.station_id
            and attempts.evse_id = ports.evse_id

),

neighbours as (

    select
        attempt_id,
        place,
        id_token,
        started_at,
        has_transaction,
        lasted_until,
        lag(id_token) over in_order as token_before,
        lead(id_token) over in_order as next_token,
        lead(started_at) over in_order as next_started_at,
        max(case when id_token is null then lasted_until end) over (
            partition by place
            order by started_at, has_transaction, attempt_id
            rows between unbounded preceding and 1 preceding
        ) as nameless_until
    from placed
    window in_order as (
        partition by place
        order by started_at, has_transaction, attempt_id
    )

),

-- Attempts without a driver at one port that follow one another, with nobody known between them.
runs as (

    select
        *,
        sum(case
            when
                token_before is null
                and started_at < nameless_until + interval '{{ var("network_unknown_gap_minutes") }}' minute
                then 0
            else 1
        end) over (
            partition by place
            order by started_at, has_transaction, attempt_id
            rows between unbounded preceding and current row
        ) as run_number
    from neighbours
    where id_token is null

),

-- Only the last of a run can have a driver next to it.
nameless as (

    select
        attempt_id,
        max(lasted_until) over run as run_lasted_until,
        max(next_token) over run as next_token,
        max(case when next_token is not null then next_started_at end) over run as next_started_at
    from runs
    window run as (partition by place, run_number)

),

inferred as (

    select
        attempt_id,
        next_token as driver_token
    from nameless
    where next_started_at <= run_lasted_until + interval '{{ var("network_unknown_gap_minutes") }}' minute

),

named as (

    select
        placed.*,
        coalesce(placed.id_token, inferred.driver_token) as driver_token,
        inferred.attempt_id is not null as is_driver_inferred,
        case when placed.id_token is null and inferred.attempt_id is null then placed.place end as nameless_place
    from placed
    left join inferred
        on placed.attempt_id = inferred.attempt_id

),

in_order as (

    select
        *,
        row_number() over (
            partition by site_id, driver_token, nameless_place
            order by started_at, has_transaction, attempt_id
        ) as place_in_order,
        max(lasted_until) over (
            partition by site_id, driver_token, nameless_place
            order by started_at, has_transaction, attempt_id
            rows between unbounded preceding and 1 preceding
        ) as visit_lasted_until
    from named

),

begun as (

    select
        *,
        coalesce(
            started_at < visit_lasted_until + case
                when driver_token is null then interval '{{ var("network_unknown_gap_minutes") }}' minute
                else interval '{{ var("network_visit_gap_minutes") }}' minute
            end,
            false
        ) as is_continued
    from in_order

),

visited as (

    select
        *,
        last_value(case when not is_continued then attempt_id end ignore nulls) over so_far as visit_id,
        last_value(case when not is_continued then place_in_order end ignore nulls) over so_far as first_in_order,
        not coalesce(lead(is_continued) over (
            partition by site_id, driver_token, nameless_place
            order by started_at, has_transaction, attempt_id
        ), false) as is_last_attempt
    from begun
    window so_far as (
        partition by site_id, driver_token, nameless_place
        order by started_at, has_transaction, attempt_id
        rows between unbounded preceding and current row
    )

),

final as (

    select
        -- keys
        attempt_id,

        -- foreign keys
        visit_id,

        -- attributes
        charger_id,
        evse_id,
        transaction_id,
        id_token,
        driver_token,
        site_id,
        site_timezone,
        attempt_mode,
        started_at,
        power_started_at,
        ended_at,
        stop_reason,
        outcome,
        failure_reason,

        -- measures
        cast(place_in_order - first_in_order + 1 as integer) as attempt_number,
        energy_kwh,

        -- flags
        is_last_attempt,
        is_driver_inferred,
        has_power_delivery,
        has_valid_stop
    from visited

)

select * from final
