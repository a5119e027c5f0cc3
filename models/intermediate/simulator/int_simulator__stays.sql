{% set same_delay_seconds = var('simulator_same_delay_seconds') %}
{% set slip_factor = var('simulator_unit_slip_factor') %}
{#- The registers resolve 1 Wh. -#}
{% set resolution_kwh = 0.001 %}
{% set clock_tolerance = var('simulator_clock_tolerance_seconds') %}

with

plug_ins as (

    select * from {{ ref('int_simulator__plug_ins') }}

),

telemetry as (

    select * from {{ ref('int_simulator__stay_telemetry') }}

),

users as (

    select * from {{ ref('stg_simulator__users') }}

),

delivered as (

    select
        plug_ins.*,
        telemetry.last_ends_at,
        coalesce(telemetry.covered_seconds, 0) as covered_seconds,
        telemetry.import_kwh as interval_import_kwh,
        telemetry.export_kwh as interval_export_kwh,
        telemetry.lowest_import_register_kwh,
        telemetry.highest_import_register_kwh,
        telemetry.lowest_export_register_kwh,
        telemetry.highest_export_register_kwh,
        telemetry.soc_pct as last_soc_pct,
        users.charger_kw,
        -- an interval that another one follows ends on a whole minute of a clock that is right
        case
            when telemetry.intervals > 1
                then {{ seconds_between("date_trunc('minute', telemetry.first_ends_at)", 'telemetry.first_ends_at') }}
            else 0
        end as seconds_past_minute,
        coalesce(
            abs(plug_ins.plug_in_delay_seconds) > {{ clock_tolerance }}
            and abs(plug_ins.plug_out_delay_seconds) > {{ clock_tolerance }}
            and abs(plug_ins.plug_in_delay_seconds - plug_ins.plug_out_delay_seconds) <= {{ same_delay_seconds }},
            false
        ) as has_clock_skew
    from plug_ins
    left join telemetry
        on
            plug_ins.car_number = telemetry.car_number
            and plug_ins.plug_in_number = telemetry.plug_in_number
    left join users
        on
            plug_ins.run_id = users.run_id
            and plug_ins.user_id = users.user_id

),

clocks as (

    select
        *,
        -- of all corrections that put the end of an interval on a whole minute, the nearest below the shorter delay
        cast(
            case
                when has_clock_skew
                    then
                        floor((least(plug_in_delay_seconds, plug_out_delay_seconds) + seconds_past_minute) / 60) * 60
                        - seconds_past_minute
                else 0
            end as integer
        ) as skew_seconds
    from delivered

),

corrected as (

    select
        run_id,
        user_id,
        plug_in_number,
        plugged_in_at as delivered_plugged_in_at,
        plugged_in_at + skew_seconds * interval 1 second as plugged_in_at,
        plugged_out_at + skew_seconds * interval 1 second as plug_out_at,
        last_ends_at + skew_seconds * interval 1 second as last_ends_at,
        is_last,
        charging_started_at + skew_seconds * interval 1 second as charging_started_at,
        charging_ended_at + skew_seconds * interval 1 second as charging_ended_at,
        unfinished_charging_started_at,
        charging_seconds,
        covered_seconds,
        interval_import_kwh,
        interval_export_kwh,
        {%- for energy in ['import', 'export'] %}
        cast(
            coalesce(plug_out_{{ energy }}_register_kwh, highest_{{ energy }}_register_kwh)
            - plug_in_{{ energy }}_register_kwh as decimal(18, 6)
        ) as register_{{ energy }}_kwh,
        {%- endfor %}
        -- a register that never falls is lowest at the plug-in and highest at the plug-out
        coalesce(
            least(lowest_import_register_kwh, plug_out_import_register_kwh) < plug_in_import_register_kwh
            or least(lowest_export_register_kwh, plug_out_export_register_kwh) < plug_in_export_register_kwh
            or highest_import_register_kwh > plug_out_import_register_kwh
            or highest_export_register_kwh > plug_out_export_register_kwh,
            false
        ) as has_fallen_register,
        plug_in_soc_pct as soc_start_pct,
        coalesce(plug_out_soc_pct, last_soc_pct) as soc_end_pct,
        charger_kw,
        skew_seconds,
        has_clock_skew
    from clocks

),

runs as (

    select
        run_id,
        max(last_ends_at) as telemetry_ends_at
    from corrected
    group by run_id

),

ended as (

    select
        corrected.*,
        coalesce(corrected.plug_out_at, corrected.last_ends_at) as ended_at,
        corrected.plug_out_at is null
        and (
            corrected.last_ends_at >= runs.telemetry_ends_at
            or corrected.last_ends_at is null
        ) as is_open
    from corrected
    inner join runs
        on corrected.run_id = runs.run_id

),

metered as (

    select
        *,
        greatest(coalesce({{ seconds_between('plugged_in_at', 'ended_at') }} - covered_seconds, 0), 0) as uncovered_seconds,
        interval_import_kwh + interval_export_kwh as interval_kwh,
        register_import_kwh + register_export_kwh as register_kwh,
        charger_kw * ({{ minutes_between('plugged_in_at', 'ended_at') }} / 60) * {{ var('energy_tolerance') }} as limit_kwh
    from ended

),

slipped as (

    select
        *,
        coalesce(
            case
                -- without registers to compare with, only what the charger can't do is beyond doubt
                when has_fallen_register or register_kwh is null then interval_kwh > limit_kwh
                else register_kwh > 0 and interval_kwh >= register_kwh * {{ slip_factor }}
            end,
            false
        ) as has_unit_slip
    from metered

),

judged as (

    select
        *,
        has_fallen_register
        or not has_unit_slip
        and coalesce(
            interval_import_kwh > register_import_kwh + {{ resolution_kwh }}
            or interval_export_kwh > register_export_kwh + {{ resolution_kwh }},
            false
        ) as has_register_reset
    from slipped

),

sourced as (

    select
        *,
        case
            when has_register_reset or register_kwh is null then 'intervals'
            else 'registers'
        end as energy_source
    from judged

),

counted as (

    select
        *,
        {%- for energy, column in {'import': 'energy_kwh', 'export': 'exported_kwh'}.items() %}
        case
            when energy_source = 'registers' then register_{{ energy }}_kwh
            when has_unit_slip then cast(interval_{{ energy }}_kwh * 0.001 as decimal(18, 6))
            else interval_{{ energy }}_kwh
        end as {{ column }},
        -- nothing tells what the gaps of a stay hold whose registers began anew
        case
            when uncovered_seconds = 0 then 0
            when energy_source = 'registers'
                then greatest(
                    register_{{ energy }}_kwh
                    - coalesce(interval_{{ energy }}_kwh, 0) * case when has_unit_slip then 0.001 else 1 end,
                    0
                )
        end as missing_{{ energy }}_kwh{% if not loop.last %},{% endif %}
        {%- endfor %}
    from sourced

),

final as (

    select
        -- keys
        run_id,
        user_id,
        plug_in_number,
        run_id || '/' || user_id || '/'
        || replace(replace({{ iso_text('plugged_in_at') }}, '-', ''), ':', '') as session_id,

        -- attributes
        plugged_in_at,
        case when not is_open then ended_at end as plugged_out_at,
        ended_at,
        delivered_plugged_in_at,
        charging_started_at,
        case
            when unfinished_charging_started_at is not null and not is_open then ended_at
            else charging_ended_at
        end as charging_ended_at,
        case
            when is_open then 'open'
            when energy_kwh > 0 then 'succeeded'
            else 'unknown'
        end as outcome,
        energy_source,

        -- measures
        skew_seconds,
        cast(
            charging_seconds
            + case
                when unfinished_charging_started_at is not null and not is_open
                    then {{ seconds_between('unfinished_charging_started_at', 'ended_at') }}
                else 0
            end as decimal(18, 6)
        ) as charging_seconds,
        energy_kwh,
        exported_kwh,
        cast(uncovered_seconds as decimal(18, 6)) as uncovered_seconds,
        cast(missing_import_kwh as decimal(18, 6)) as missing_import_kwh,
        cast(missing_export_kwh as decimal(18, 6)) as missing_export_kwh,
        soc_start_pct,
        soc_end_pct,

        -- flags
        has_clock_skew,
        plug_out_at is null and not (is_open and is_last) as has_missing_plug_out,
        uncovered_seconds > 0 as has_missing_interval,
        has_register_reset,
        has_unit_slip
    from counted

)

select * from final
