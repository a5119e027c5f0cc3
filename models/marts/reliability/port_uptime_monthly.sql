{%- set measured = {
    'down': 'not states.is_up',
    'faulted': 'states.is_faulted',
    'offline': 'not states.is_online',
    'unavailable': 'states.is_unavailable',
    'unknown': 'states.is_up',
} -%}

with

windows as (

    select * from {{ ref('int_network__port_windows') }}

),

-- what is up with a known status is the rest of the month
states as (

    select * from {{ ref('int_network__port_states') }}
    where
        not is_up
        or status = 'unknown'

),

excluded_outages as (

    select * from {{ ref('int_network__excluded_outages') }}

),

calendar as (

    select
        *,
        {{ each_month(
            'cast(' ~ to_local_by('monitored_from', 'site_timezone') ~ ' as date)',
            'cast(' ~ to_local_by('monitored_to', 'site_timezone') ~ ' as date)',
        ) }} as month_start_date
    from windows

),

local_months as (

    select
        *,
        greatest(monitored_from, {{ day_start_by('month_start_date', 'site_timezone') }}) as started_at,
        least(monitored_to, {{ day_start_by('(month_start_date + interval 1 month)', 'site_timezone') }}) as ended_at
    from calendar

),

-- a window that ends at midnight has no minute of the month that begins there
months as (

    select
        *,
        {{ seconds_between('started_at', 'ended_at') }} as commissioned_seconds
    from local_months
    where started_at < ended_at

),

in_states as (

    select
        months.port_key,
        months.month_start_date,
        {%- for name, condition in measured.items() %}
        sum(case
            when {{ condition }}
                then {{ overlap_seconds('months.started_at', 'months.ended_at', 'states.started_at', 'states.ended_at') }}
        end) as {{ name }}_seconds{% if not loop.last %},{% endif %}
        {%- endfor %}
    from months
    inner join states
        on
            months.charger_id = states.charger_id
            and months.evse_id = states.evse_id
            and months.started_at < states.ended_at
            and months.ended_at > states.started_at
    group by months.port_key, months.month_start_date

),

in_exclusions as (

    select
        months.port_key,
        months.month_start_date,
        sum({{ overlap_seconds(
            'months.started_at', 'months.ended_at', 'excluded_outages.started_at', 'excluded_outages.ended_at'
        ) }}) as excluded_seconds
    from months
    inner join excluded_outages
        on
            months.port_key = excluded_outages.port_key
            and months.started_at < excluded_outages.ended_at
            and months.ended_at > excluded_outages.started_at
    group by months.port_key, months.month_start_date

),

measured as (

    select
        months.*,
        {%- for name in measured %}
        coalesce(in_states.{{ name }}_seconds, 0) as {{ name }}_seconds,
        {%- endfor %}
        coalesce(in_exclusions.excluded_seconds, 0) as excluded_seconds
    from months
    left join in_states
        on
            months.port_key = in_states.port_key
            and months.month_start_date = in_states.month_start_date
    left join in_exclusions
        on
            months.port_key = in_exclusions.port_key
            and months.month_start_date = in_exclusions.month_start_date

),

-- the months of a port follow one another without a gap
over_a_year as (

    select
        *,
        sum(commissioned_seconds) over twelve_months as commissioned_seconds_12m,
        sum(down_seconds) over twelve_months as outage_seconds_12m,
        sum(excluded_seconds) over twelve_months as excluded_seconds_12m
    from measured
    window twelve_months as (
        partition by port_key
        order by month_start_date
        rows between 11 preceding and current row
    )

),

rated as (

    select
        *,
        least(commissioned_seconds_12m, {{ var('uptime_year_minutes') }} * 60) as denominator_seconds_12m
    from over_a_year

),

in_minutes as (

    select
        *,
        {%- for name in ['commissioned', 'excluded'] + measured | list %}
        cast({{ name }}_seconds / 60 as decimal(18, 6)) as {{ name }}_minutes,
        {%- endfor %}
        {%- for name in ['commissioned', 'outage', 'excluded', 'denominator'] %}
        cast({{ name }}_seconds_12m / 60 as decimal(18, 6)) as {{ name }}_minutes_12m,
        {%- endfor %}
        {{ uptime_pct('commissioned_seconds', 'down_seconds', 'excluded_seconds') }} as month_uptime_pct,
        {{ uptime_pct('denominator_seconds_12m', 'outage_seconds_12m', 'excluded_seconds_12m') }} as uptime_pct
    from rated

),

final as (

    select
        -- keys
        port_key,
        month_start_date,

        -- foreign keys
        station_key,

        -- attributes
        charger_id as station_id,
        evse_id,
        site_id,
        site_timezone,

        -- measures: the month
        commissioned_minutes,
        cast(commissioned_minutes - down_minutes as decimal(18, 6)) as up_minutes,
        down_minutes,
        faulted_minutes,
        offline_minutes,
        unavailable_minutes,
        unknown_minutes,
        excluded_minutes,
        month_uptime_pct,

        -- measures: the twelve months that end with it
        commissioned_minutes_12m,
        outage_minutes_12m,
        excluded_minutes_12m,
        denominator_minutes_12m,
        uptime_pct,

        -- flags
        denominator_minutes_12m < {{ var('uptime_year_minutes') }} as is_scaled,
        uptime_pct > {{ var('uptime_required_pct') }} as is_compliant
    from in_minutes

)

select * from final
