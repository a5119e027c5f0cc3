with

attempts as (

    select
        *,
        {{ quarter_start('started_at') }} as quarter_at
    from {{ ref('int_network__visit_attempts') }}

),

quarters as (

    select
        site_timezone,
        quarter_at,
        {{ to_local_by('quarter_at', 'site_timezone') }} as quarter_local_at
    from attempts
    group by site_timezone, quarter_at

),

stations as (

    select
        station_id,
        {{ surrogate_key(["'network'", 'station_id']) }} as station_key
    from {{ ref('stg_network__stations') }}

),

ports as (

    select
        station_id,
        evse_id,
        {{ surrogate_key(["'network'", 'station_id', 'evse_id']) }} as port_key
    from {{ ref('stg_network__ports') }}

),

listed as (

    select
        attempts.*,
        quarters.quarter_local_at + (attempts.started_at - attempts.quarter_at) as started_local_at,
        stations.station_key,
        ports.port_key
    from attempts
    inner join quarters
        on
            attempts.site_timezone = quarters.site_timezone
            and attempts.quarter_at = quarters.quarter_at
    left join stations
        on attempts.charger_id = stations.station_id
    left join ports
        on
            attempts.charger_id = ports.station_id
            and attempts.evse_id = ports.evse_id

),

final as (

    select
        -- keys
        {{ surrogate_key(["'network'", 'attempt_id']) }} as attempt_key,
        attempt_id,

        -- foreign keys
        {{ surrogate_key(["'network'", 'visit_id']) }} as visit_key,
        {{ surrogate_key(["'network'", "'messages'", 'charger_id', 'transaction_id']) }} as session_key,
        coalesce({{ surrogate_key(["'network'", 'driver_token']) }}, {{ unknown_key() }}) as user_key,
        coalesce(station_key, {{ unknown_key() }}) as station_key,
        coalesce(port_key, {{ unknown_key() }}) as port_key,
        cast(started_local_at as date) as date_key,

        -- attributes
        charger_id,
        evse_id,
        site_id,
        site_timezone,
        attempt_mode,
        started_at,
        power_started_at,
        ended_at,
        started_local_at,
        stop_reason,
        outcome,
        failure_reason,

        -- measures
        attempt_number,
        -- clocks of charger and back end can disagree by a second
        case
            when power_started_at is not null
                then cast(greatest({{ seconds_between('started_at', 'power_started_at') }}, 0) as decimal(18, 6))
        end as charge_start_seconds,
        energy_kwh,

        -- flags
        is_last_attempt,
        is_driver_inferred,
        has_power_delivery,
        has_valid_stop
    from listed

)

select * from final
