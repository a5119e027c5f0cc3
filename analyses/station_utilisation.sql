-- Question: which residential stations are busy, and how much of the time that vehicles are connected do they charge?
-- Who asks: operations and garage owners who decide where the next charger goes.
-- How to read: busiest first. `occupied_share` is connected hours / real hours from the first plug-in to the last plug-out
-- of these sites: near 1 the station is full. `energy_share_of_connection` is energy / (connected hours x 7.2 kW), how much
-- of what could have been charged was charged. `idle_share` is the share of the connected hours left when each session
-- charges at 7.2 kW: a high one with a high occupancy calls for a fee on blocking, not for another charger.
-- Energy counts in every session; hours and the shares only in sessions with a plug-out that are not over-long, so
-- `energy_of_measured_sessions_kwh` is the energy that the shares compare. Overlapping sessions count both.
{% set charging_power_kw = 7.2 %}

with

sessions as (

    select * from {{ ref('fct_charging_sessions') }}
    where source_system = 'residential'

),

stations as (

    select * from {{ ref('dim_station') }}

),

measured as (

    select
        station_key,
        energy_kwh,
        cast(energy_kwh as double) as energy,
        case when plugged_out_at is not null and not is_over_long then cast(connected_minutes as double) / 60 end
            as connected_hours
    from sessions

),

span as (

    select
        min(plugged_in_at) as first_plug_in_at,
        max(coalesce(plugged_out_at, plugged_in_at)) as last_plug_out_at
    from sessions

),

calendar as (

    select cast({{ minutes_between('first_plug_in_at', 'last_plug_out_at') }} as double) / 60 as hours
    from span

),

station_totals as (

    select
        station_key,
        count(*) as charging_sessions,
        sum(energy_kwh) as energy_kwh,
        sum(connected_hours) as connected_hours,
        sum(case when connected_hours is not null then energy_kwh end) as energy_of_measured_sessions_kwh,
        sum(case
            when energy / {{ charging_power_kw }} < connected_hours then connected_hours - energy / {{ charging_power_kw }}
            when connected_hours is not null then 0
        end) as idle_hours
    from measured
    group by station_key

),

final as (

    select
        -- keys
        row_number() over (
            order by coalesce(station_totals.connected_hours, 0) desc, stations.source_system, stations.station_id
        ) as station_rank,
        stations.station_id,

        -- attributes
        stations.site_id,
        stations.is_shared,
        stations.users,

        -- measures
        station_totals.charging_sessions,
        station_totals.energy_kwh,
        coalesce(station_totals.connected_hours, 0) as connected_hours,
        coalesce(station_totals.connected_hours, 0) / nullif(calendar.hours, 0) as occupied_share,
        coalesce(station_totals.energy_of_measured_sessions_kwh, 0) as energy_of_measured_sessions_kwh,
        cast(station_totals.energy_of_measured_sessions_kwh as double)
        / nullif(station_totals.connected_hours * {{ charging_power_kw }}, 0) as energy_share_of_connection,
        station_totals.idle_hours / nullif(station_totals.connected_hours, 0) as idle_share
    from station_totals
    inner join stations
        on station_totals.station_key = stations.station_key
    cross join calendar
    order by station_rank

)

select * from final
