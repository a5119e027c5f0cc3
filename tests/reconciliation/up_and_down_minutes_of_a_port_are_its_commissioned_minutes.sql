-- The commissioned minutes are counted day by day here, from the list of ports and the messages, without a model between.
with

messages as (

    select
        min(received_at) as observed_from,
        max(received_at) as observed_to
    from {{ ref('stg_network__charger_messages') }}
    where is_from_charger

),

talking_chargers as (

    select distinct charger_id
    from {{ ref('stg_network__charger_messages') }}
    where is_from_charger

),

ports as (

    select
        ports.station_id,
        ports.evse_id,
        ports.commissioned_on,
        ports.retired_on,
        coalesce(ports.port_timezone, stations.site_timezone, '{{ var("network_timezone") }}') as time_zone
    from {{ ref('stg_network__ports') }} as ports
    left join {{ ref('stg_network__stations') }} as stations
        on ports.station_id = stations.station_id
    left join talking_chargers
        on ports.station_id = talking_chargers.charger_id
    where coalesce(stations.protocol, talking_chargers.charger_id) is not null

),

days as (

    select
        zones.time_zone,
        messages.observed_from,
        messages.observed_to,
        {{ each_day(
            'messages.observed_from - interval 1 day',
            'messages.observed_to + interval 1 day',
        ) }} as local_day
    from (select distinct time_zone from ports) as zones
    cross join messages

),

local_days as (

    select
        time_zone,
        local_day,
        greatest({{ earlier_utc_by('cast(local_day as timestamp)', 'time_zone') }}, observed_from) as started_at,
        least({{ earlier_utc_by('cast(local_day + interval 1 day as timestamp)', 'time_zone') }}, observed_to) as ended_at
    from days

),

days_in_service as (

    select
        ports.station_id,
        ports.evse_id,
        local_days.local_day,
        local_days.started_at,
        local_days.ended_at
    from ports
    inner join local_days
        on ports.time_zone = local_days.time_zone
    where
        coalesce(local_days.local_day >= ports.commissioned_on, true)
        and coalesce(local_days.local_day < ports.retired_on, true)
        and local_days.started_at < local_days.ended_at

),

expected as (

    select
        station_id,
        evse_id,
        cast(date_trunc('month', local_day) as date) as month_start_date,
        sum({{ minutes_between('started_at', 'ended_at') }}) as commissioned_minutes
    from days_in_service
    group by station_id, evse_id, month_start_date

),

found as (

    select
        station_id,
        evse_id,
        month_start_date,
        up_minutes + down_minutes as counted_minutes
    from {{ ref('port_uptime_monthly') }}

)

select
    coalesce(expected.station_id, found.station_id) as station_id,
    coalesce(expected.evse_id, found.evse_id) as evse_id,
    coalesce(expected.month_start_date, found.month_start_date) as month_start_date,
    expected.commissioned_minutes,
    found.counted_minutes
from expected
full outer join found
    on
        expected.station_id = found.station_id
        and expected.evse_id = found.evse_id
        and expected.month_start_date = found.month_start_date
where
    expected.station_id is null
    or found.station_id is null
    -- minutes have six decimals, and seconds are sixtieths
    or abs(expected.commissioned_minutes - found.counted_minutes) > 0.00001
