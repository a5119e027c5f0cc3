-- Question: which stations got worse last week than in the four weeks before?
-- Who asks: operations, each Monday, to choose where to send somebody.
-- How to read: one row per station with sessions in both periods, the largest fall first. Last week is the last one from Monday
-- to Sunday that the data reach the end of. `z_score` is the fall in standard deviations of chance; below -2 it is hard to
-- explain by chance alone, but of many stations some fall so far by chance: `station_comparison` takes that into account,
-- over all data. Sessions without a known outcome are in no rate.
{% set weeks_before = 4 %}

with

sessions as (

    select * from {{ ref('fct_charging_sessions') }}
    where
        source_system = 'network'
        and outcome in ('succeeded', 'failed')

),

stations as (

    select * from {{ ref('dim_station') }}
    where source_system = 'network'

),

last_week as (

    {{ last_full_week('sessions', 'date_key') }}

),

periods as (

    select
        sessions.station_key,
        count(case when sessions.date_key >= last_week.first_date then 1 end) as sessions_last_week,
        count(case when sessions.date_key >= last_week.first_date and sessions.outcome = 'succeeded' then 1 end)
            as succeeded_last_week,
        count(case when sessions.date_key < last_week.first_date then 1 end) as sessions_before,
        count(case when sessions.date_key < last_week.first_date and sessions.outcome = 'succeeded' then 1 end)
            as succeeded_before
    from sessions
    inner join last_week
        on
            sessions.date_key >= last_week.first_date - interval {{ 7 * weeks_before }} day
            and sessions.date_key < last_week.end_date
    group by sessions.station_key

),

rates as (

    select
        *,
        cast(succeeded_last_week as double) / sessions_last_week as success_rate_last_week,
        cast(succeeded_before as double) / sessions_before as success_rate_before,
        cast(succeeded_last_week + succeeded_before as double) / (sessions_last_week + sessions_before) as success_rate
    from periods
    where
        sessions_last_week > 0
        and sessions_before > 0

),

compared as (

    select
        *,
        success_rate_last_week - success_rate_before as change,
        sqrt(success_rate * (1 - success_rate) * (1.0 / sessions_last_week + 1.0 / sessions_before)) as standard_error
    from rates

),

final as (

    select
        -- keys
        row_number() over (order by compared.change, stations.station_id) as place,
        stations.station_id,

        -- attributes
        stations.station_name,
        stations.site_id,

        -- measures
        compared.sessions_last_week,
        compared.success_rate_last_week,
        compared.sessions_before,
        compared.success_rate_before,
        100 * compared.change as change_percentage_points,
        compared.change / nullif(compared.standard_error, 0) as z_score
    from compared
    inner join stations
        on compared.station_key = stations.station_key
    order by place

)

select * from final
