{% set limit_kwh = var('battery_tolerance') * var('max_battery_kwh') %}

with

messages as (

    select * from {{ ref('int_network__messages') }}

),

sessions as (

    select * from {{ ref('int_network__sessions_rebuilt') }}

),

repeated as (

    select
        charger_id,
        message_id,
        count(*) as copies
    from {{ ref('base_network__charger_messages') }}
    where row_status = 'duplicate'
    group by charger_id, message_id

),

late as (

    select
        charger_id,
        message_id,
        max(delay_seconds) as delay_seconds
    from messages
    where
        is_from_charger
        and stamped_at is not null
        and delay_seconds > {{ var('network_late_message_seconds') }}
    group by charger_id, message_id

),

unreadable as (

    select
        charger_id,
        message_id,
        count(*) as readings
    from {{ ref('int_network__register_samples') }}
    where
        is_unreadable
        and measurand = 'Energy.Active.Import.Register'
    group by charger_id, message_id

),

unlisted as (

    select
        messages.charger_id,
        count(*) as messages
    from messages
    left join {{ ref('stg_network__stations') }} as stations
        on messages.charger_id = stations.station_id
    where stations.station_id is null
    group by messages.charger_id

),

damage as (

    select
        'repeated_message' as damage_kind,
        charger_id,
        message_id as reference,
        'copies delivered beside the one that counts: ' || copies as detail
    from repeated

    union all

    select
        'late_message' as damage_kind,
        charger_id,
        message_id as reference,
        'seconds from its stamp to its arrival: ' || cast(delay_seconds as bigint) as detail
    from late

    union all

    select
        'unreadable_register' as damage_kind,
        charger_id,
        message_id as reference,
        'register values that are no number: ' || readings as detail
    from unreadable

    union all

    select
        'clock_off' as damage_kind,
        charger_id,
        cast(received_on as varchar) as reference,
        'seconds added to the stamps of the day: ' || cast(offset_seconds as bigint) as detail
    from {{ ref('int_network__clock_offsets') }}

    union all

    select
        'register_reset' as damage_kind,
        charger_id,
        transaction_id as reference,
        'resets between the readings of the transaction: ' || register_resets as detail
    from sessions
    where register_resets > 0

    union all

    select
        'missing_start' as damage_kind,
        charger_id,
        transaction_id as reference,
        'messages of it were delivered, its start was not' as detail
    from sessions
    where not has_start

    union all

    select
        'missing_stop' as damage_kind,
        charger_id,
        transaction_id as reference,
        'it is over and no stop of it was delivered' as detail
    from sessions
    where
        has_start
        and not has_stop
        and outcome <> 'open'

    union all

    select
        'unknown_driver' as damage_kind,
        charger_id,
        transaction_id as reference,
        'no token in any message of the transaction' as detail
    from sessions
    where id_token is null

    union all

    select
        'implausible_energy' as damage_kind,
        charger_id,
        transaction_id as reference,
        'kWh, left out of the session: ' || energy_kwh as detail
    from sessions
    where energy_kwh > {{ limit_kwh }}

    union all

    select
        'unlisted_charger' as damage_kind,
        charger_id,
        charger_id as reference,
        'messages of a station that no feed lists: ' || messages as detail
    from unlisted

),

final as (

    select
        -- keys
        damage_kind,
        charger_id,
        reference,

        -- attributes
        detail
    from damage

)

select * from final
