-- Question: which ports were down longest last week, and how much of it is excluded?
-- Who asks: maintenance, each Monday, and whoever has to report the uptime.
-- How to read: one row per port that was down, the longest first. Last week is the last one from Monday to Sunday, on the
-- clock of the port, that the messages reach the end of. The causes overlap, so they may add up to more than the time down.
-- Excluded minutes (maintenance, a utility's outage, vandalism, ...) don't count against the uptime; an exclusion that was
-- forgotten shows as a long time down without any.
with

states as (

    select * from {{ ref('fct_port_status') }}

),

windows as (

    select * from {{ ref('int_network__port_windows') }}

),

excluded_outages as (

    select * from {{ ref('int_network__excluded_outages') }}

),

local_ends as (

    select cast({{ to_local_by('monitored_to', 'site_timezone') }} as date) as last_date
    from windows

),

last_week as (

    {{ last_full_week('local_ends', 'last_date') }}

),

weeks as (

    select
        windows.port_key,
        windows.charger_id,
        windows.evse_id,
        windows.site_id,
        {{ day_start_by('last_week.first_date', 'windows.site_timezone') }} as started_at,
        {{ day_start_by('last_week.end_date', 'windows.site_timezone') }} as ended_at
    from windows
    cross join last_week

),

downtime as (

    select
        weeks.port_key,
        {%- for cause in ['', 'faulted', 'offline', 'unavailable'] %}
        sum(case
            when states.down_causes like '%{{ cause }}%'
                then {{ overlap_seconds('weeks.started_at', 'weeks.ended_at', 'states.started_at', 'states.ended_at') }}
            else 0
        end) as {{ cause or 'down' }}_seconds
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from weeks
    inner join states
        on
            weeks.port_key = states.port_key
            and weeks.started_at < states.ended_at
            and weeks.ended_at > states.started_at
    group by weeks.port_key

),

excluded as (

    select
        weeks.port_key,
        sum({{ overlap_seconds(
            'weeks.started_at', 'weeks.ended_at', 'excluded_outages.started_at', 'excluded_outages.ended_at'
        ) }}) as excluded_seconds
    from weeks
    inner join excluded_outages
        on
            weeks.port_key = excluded_outages.port_key
            and weeks.started_at < excluded_outages.ended_at
            and weeks.ended_at > excluded_outages.started_at
    group by weeks.port_key

),

final as (

    select
        -- keys
        row_number() over (order by downtime.down_seconds desc, weeks.charger_id, weeks.evse_id) as place,
        weeks.charger_id as station_id,
        weeks.evse_id,

        -- attributes
        weeks.site_id,

        -- measures
        {%- for measure in ['down', 'faulted', 'offline', 'unavailable'] %}
        cast(downtime.{{ measure }}_seconds as double) / 3600 as {{ measure }}_hours,
        {%- endfor %}
        cast(coalesce(excluded.excluded_seconds, 0) as double) / 3600 as excluded_hours,
        cast(coalesce(excluded.excluded_seconds, 0) as double) / downtime.down_seconds as excluded_share
    from weeks
    inner join downtime
        on weeks.port_key = downtime.port_key
    left join excluded
        on weeks.port_key = excluded.port_key
    where downtime.down_seconds > 0
    order by place

)

select * from final
