{#- How long a charge takes that no end is delivered of. Products of decimals are kept in DOUBLE. -#}
{% set soc_energy_kwh = '(charges.soc_end_pct - charges.soc_start_pct) / 100 * cast(vehicles.battery_kwh as double)' %}
{% set estimated_hours = 'coalesce(charges.energy_kwh, ' ~ soc_energy_kwh ~ ') / nullif(charges.max_power_kw, 0)' %}

with

vehicles as (

    select * from {{ ref('stg_telematics__vehicles') }}

),

-- Drives stand between charges and say where the vehicle was.
logs as (

    select
        charges.vehicle_id,
        charges.supplier,
        charges.started_at,
        charges.ended_at,
        case
            when {{ estimated_hours }} > 0
                then charges.started_at + interval 1 second * cast({{ estimated_hours }} * 3600 as bigint)
        end as estimated_ended_at,
        false as is_drive,
        charges.soc_start_pct,
        charges.soc_end_pct,
        charges.odometer_km as odometer_start_km,
        charges.odometer_km as odometer_end_km,
        charges.energy_kwh,
        charges.max_power_kw,
        charges.place,
        charges.is_ambiguous_time
    from {{ ref('stg_telematics__charges') }} as charges
    left join vehicles
        on charges.vehicle_id = vehicles.vehicle_id

    union all

    select
        vehicle_id,
        cast(null as varchar) as supplier,
        started_at,
        ended_at,
        cast(null as timestamp) as estimated_ended_at,
        true as is_drive,
        soc_start_pct,
        soc_end_pct,
        odometer_start_km,
        odometer_end_km,
        cast(null as decimal(18, 6)) as energy_kwh,
        cast(null as decimal(18, 6)) as max_power_kw,
        cast(null as varchar) as place,
        false as is_ambiguous_time
    from {{ ref('stg_telematics__drives') }}

),

neighbours as (

    select
        *,
        lag(is_drive) over timeline as is_drive_before,
        lag(ended_at) over timeline as ended_before_at,
        lag(estimated_ended_at) over timeline as estimated_ended_before_at,
        lag(soc_end_pct) over timeline as soc_before_pct,
        lag(odometer_end_km) over timeline as delivered_odometer_before_km,
        lead(started_at) over timeline as next_started_at,
        -- a drive forgets the place
        nullif(
            last_value(case when is_drive then '' else place end ignore nulls) over (
                timeline
                rows between unbounded preceding and 1 preceding
            ),
            ''
        ) as place_before,
        last_value(odometer_end_km ignore nulls) over (
            timeline
            rows between unbounded preceding and 1 preceding
        ) as odometer_before_km,
        first_value(odometer_start_km ignore nulls) over (
            timeline
            rows between 1 following and unbounded following
        ) as odometer_after_km
    from logs
    window timeline as (partition by vehicle_id order by started_at, is_drive)

),

-- What isn't known contradicts nothing.
judged as (

    select
        *,
        coalesce(
            not is_drive_before
            and {{ seconds_between('coalesce(ended_before_at, least(estimated_ended_before_at, started_at))', 'started_at') }}
            between 0 and {{ var('session_gap_minutes') }} * 60
            and coalesce(abs(soc_start_pct - soc_before_pct) <= {{ var('telematics_soc_tolerance_pct') }}, true)
            and coalesce(place = place_before, true)
            and coalesce(
                abs(odometer_start_km - delivered_odometer_before_km) <= {{ var('telematics_odometer_tolerance_km') }},
                true
            ),
            false
        ) as is_continued,
        coalesce(soc_start_pct < soc_before_pct - {{ var('telematics_soc_tolerance_pct') }}, false) as has_soc_fall
    from neighbours
    where not is_drive

),

numbered as (

    select
        *,
        sum(case when is_continued then 0 else 1 end) over since_first as session_number,
        -- SOC fell since the last drive: a drive that nobody logged came before the charge
        last_value(case when has_soc_fall then true when is_drive_before then false end ignore nulls) over since_first
            as is_after_unlogged_drive,
        coalesce(not lead(is_continued) over (partition by vehicle_id order by started_at), true) as is_last
    from judged
    window since_first as (
        partition by vehicle_id
        order by started_at
        rows between unbounded preceding and current row
    )

),

placed as (

    select
        *,
        coalesce(ended_at, least(estimated_ended_at, next_started_at), started_at) as lasted_until,
        case
            when odometer_start_km is not null then odometer_start_km
            when is_after_unlogged_drive then coalesce(odometer_after_km, odometer_before_km)
            else coalesce(odometer_before_km, odometer_after_km)
        end as odometer_km
    from numbered

),

final as (

    select
        -- keys
        vehicle_id,
        min(started_at) as started_at,

        -- attributes
        min(supplier) as supplier,
        max(lasted_until) as ended_at,
        min_by(place, started_at) as place,

        -- measures
        max(case when not is_continued then soc_start_pct end) as soc_start_pct,
        max(case when is_last then soc_end_pct end) as soc_end_pct,
        max(case when not is_continued then odometer_km end) as odometer_km,
        cast(sum(energy_kwh) as decimal(18, 6)) as energy_kwh,
        max(max_power_kw) as max_power_kw,
        cast(sum({{ minutes_between('started_at', 'lasted_until') }}) as decimal(18, 6)) as charging_minutes,
        cast(count(*) as integer) as fragments,

        -- flags
        bool_or(ended_at is null) as is_end_estimated,
        bool_or(energy_kwh is null) as has_unmetered_fragment,
        bool_or(is_ambiguous_time) as is_ambiguous_time
    from placed
    group by vehicle_id, session_number

)

select * from final
