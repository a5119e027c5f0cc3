{% set soc_tolerance_pct = var('telematics_soc_tolerance_pct') %}
{% set odometer_tolerance_km = var('telematics_odometer_tolerance_km') %}
{% set largest_loss_pct %}
({{ soc_tolerance_pct }} + {{ var('telematics_standby_pct_per_hour') }} * {{ seconds_between('gap_started_at', 'started_at') }} / 3600)
{%- endset %}
{#- A drive and the charges after it, which have its odometer where they have none of their own. -#}
{% set most_records = 3 %}
{% set soc_energy_kwh = '(soc_end_pct - soc_start_pct) / 100.0 * battery_kwh' %}
{% set max_power_kw = var('energy_tolerance') * var('telematics_max_power_kw') %}
{% set max_energy_kwh = var('battery_tolerance') * var('max_battery_kwh') %}

with

records as (

    select * from {{ ref('int_telematics__records') }}

),

repeated as (

    select
        vehicle_id,
        started_at,
        count(*) as copies
    from (
        select
            vehicle_id,
            started_at
        from {{ ref('base_telematics__drives') }}
        where row_status = 'duplicate'

        union all

        select
            vehicle_id,
            started_at
        from {{ ref('base_telematics__charges') }}
        where row_status = 'duplicate'
    )
    group by vehicle_id, started_at

),

-- Where power and energy are both in a smaller unit, they still fit together; a wrong number alone fits nothing.
slipped as (

    select
        charges.vehicle_id,
        charges.started_at,
        max(coalesce(charges.max_power_kw, 0)) as max_power_kw
    from {{ ref('base_telematics__charges') }} as charges
    left join {{ ref('stg_telematics__vehicles') }} as vehicles
        on charges.vehicle_id = vehicles.vehicle_id
    where
        charges.rejection_reason in ('implausible_power:power', 'implausible_energy:energy')
        and coalesce(charges.max_power_kw <= 1000 * {{ max_power_kw }}, true)
        and coalesce(charges.energy_kwh <= 1000 * {{ max_energy_kwh }}, true)
        and coalesce(
            coalesce(
                cast(charges.energy_kwh as double),
                10 * cast(charges.soc_end_pct - charges.soc_start_pct as double) * vehicles.battery_kwh
            )
            / nullif(
                cast(charges.max_power_kw as double)
                * {{ seconds_between('charges.started_at', 'charges.ended_at') }} / 3600,
                0
            )
            between 0.1 and {{ var('energy_tolerance') }},
            true
        )
    group by charges.vehicle_id, charges.started_at

),

-- neighbours that don't fit together, but for a battery that lost a little
gaps as (

    select
        vehicle_id,
        record_number,
        record_kind,
        started_at,
        gap_kind,
        gap_started_at,
        battery_kwh,
        soc_start_pct,
        has_drive_after,
        soc_start_pct - gap_soc_start_pct as soc_rise_pct,
        coalesce(odometer_start_km - gap_odometer_start_km, 0) as odometer_rise_km
    from records
    where
        gap_kind not in ('standing', 'standby_loss')
        or soc_start_pct - gap_soc_start_pct < -{{ largest_loss_pct }}

),

explained as (

    select
        gaps.*,
        before.record_kind as kind_before,
        before.started_at as before_started_at,
        before.has_drive_before,
        -- what the charge before brought is closer to the SOC after the gap than to that before it
        coalesce(
            abs(before.energy_kwh - (gaps.soc_start_pct - before.soc_start_pct) / 100.0 * before.battery_kwh)
            <= abs(before.energy_kwh - (before.soc_end_pct - before.soc_start_pct) / 100.0 * before.battery_kwh),
            true
        ) as is_soc_after_likelier
    from gaps
    inner join records as before
        on
            gaps.vehicle_id = before.vehicle_id
            and gaps.record_number = before.record_number + 1

),

judged as (

    select
        *,
        gap_started_at > started_at as is_overlap,
        kind_before = 'charge'
        and gap_started_at <= started_at
        and abs(odometer_rise_km) <= {{ odometer_tolerance_km }}
        and coalesce(soc_rise_pct > {{ soc_tolerance_pct }} or soc_rise_pct < -{{ largest_loss_pct }}, false)
        and is_soc_after_likelier as is_soc_error
    from explained

),

-- The odometer of one drive is wrong where it leaps before the drive and back after it. What cost energy is no leap.
leaps as (

    select
        *,
        coalesce(
            abs(odometer_rise_km + lead(odometer_rise_km) over vehicle) <= {{ odometer_tolerance_km }}
            and lead(record_number) over vehicle - record_number <= {{ most_records }},
            false
        ) as is_leap_there,
        coalesce(
            abs(odometer_rise_km + lag(odometer_rise_km) over vehicle) <= {{ odometer_tolerance_km }}
            and record_number - lag(record_number) over vehicle <= {{ most_records }},
            false
        ) as is_leap_back
    from judged
    where
        odometer_rise_km < -{{ odometer_tolerance_km }}
        or (
            odometer_rise_km > {{ odometer_tolerance_km }}
            and coalesce(
                -cast(soc_rise_pct as double) * battery_kwh
                < {{ var('telematics_least_kwh_per_100km') }} * odometer_rise_km,
                soc_rise_pct >= -{{ soc_tolerance_pct }},
                false
            )
        )
    window vehicle as (partition by vehicle_id order by record_number)

),

wrong_odometers as (

    select
        vehicle_id,
        record_number as leap_record_number,
        case
            when is_leap_there or is_leap_back or record_kind = 'drive' and not has_drive_after then started_at
            else before_started_at
        end as started_at,
        odometer_rise_km,
        is_leap_there,
        is_leap_back
    from leaps
    where
        is_leap_there
        or is_leap_back
        -- before the first drive and after the last one nothing leaps
        or (record_kind = 'drive' and not has_drive_after)
        or (kind_before = 'drive' and not has_drive_before)

),

rejected_rows as (

    select
        vehicle_id,
        started_at,
        'missing_drive' as damage_kind
    from {{ ref('base_telematics__drives') }}
    where row_status = 'rejected'

    union all

    select
        vehicle_id,
        started_at,
        'missing_charge' as damage_kind
    from {{ ref('base_telematics__charges') }}
    where row_status = 'rejected'

),

unlogged as (

    select
        judged.vehicle_id,
        judged.record_number,
        judged.gap_started_at,
        judged.started_at,
        case judged.gap_kind when 'inferred_session' then 'missing_charge' else 'missing_drive' end as damage_kind,
        judged.soc_rise_pct,
        judged.odometer_rise_km
    from judged
    left join wrong_odometers
        on
            judged.vehicle_id = wrong_odometers.vehicle_id
            and judged.record_number = wrong_odometers.leap_record_number
    where
        judged.gap_kind in ('inferred_session', 'inferred_drive')
        and not judged.is_soc_error
        and wrong_odometers.vehicle_id is null

),

-- not missing, but rejected
rejected as (

    select distinct
        unlogged.vehicle_id,
        unlogged.record_number
    from unlogged
    inner join rejected_rows
        on
            unlogged.vehicle_id = rejected_rows.vehicle_id
            and unlogged.damage_kind = rejected_rows.damage_kind
    where
        rejected_rows.started_at >= unlogged.gap_started_at
        and rejected_rows.started_at < unlogged.started_at

),

missing as (

    select unlogged.*
    from unlogged
    left join rejected
        on
            unlogged.vehicle_id = rejected.vehicle_id
            and unlogged.record_number = rejected.record_number
    where rejected.vehicle_id is null

),

damage as (

    select
        'repeated_row' as damage_kind,
        vehicle_id,
        started_at as reference,
        'copies delivered beside the one that counts: ' || copies as detail
    from repeated

    union all

    select
        'unit_slip' as damage_kind,
        vehicle_id,
        started_at as reference,
        'its power and energy are a thousand times too large; kW as delivered: ' || max_power_kw as detail
    from slipped

    union all

    select
        'fragmented_charge' as damage_kind,
        vehicle_id,
        started_at as reference,
        'rows that are one charge with pauses: ' || fragments as detail
    from records
    where fragments > 1

    union all

    select
        'overlap' as damage_kind,
        vehicle_id,
        started_at as reference,
        'minutes before the end of the record before: ' || cast({{ minutes_between('started_at', 'gap_started_at') }} as integer)
            as detail
    from judged
    where is_overlap

    union all

    select
        'soc_error' as damage_kind,
        vehicle_id,
        before_started_at as reference,
        'points that SOC changed by after the charge, as nothing happened: ' || soc_rise_pct as detail
    from judged
    where is_soc_error

    union all

    select
        'soc_error' as damage_kind,
        vehicle_id,
        started_at as reference,
        'points that SOC changed by in a charge that is the last record: ' || (soc_end_pct - soc_start_pct) as detail
    from records
    where
        record_kind = 'charge'
        and next_gap_kind is null
        and (
            soc_end_pct - soc_start_pct < -{{ soc_tolerance_pct }}
            or abs(energy_kwh - {{ soc_energy_kwh }})
            > {{ var('telematics_energy_tolerance') }} * abs({{ soc_energy_kwh }}) + {{ soc_tolerance_pct }} / 100.0 * battery_kwh
        )

    union all

    select
        'odometer_error' as damage_kind,
        vehicle_id,
        started_at as reference,
        'km that the odometer leaps by: ' || abs(odometer_rise_km) as detail
    from wrong_odometers
    where not is_leap_back

    union all

    select
        damage_kind,
        vehicle_id,
        gap_started_at as reference,
        case damage_kind
            when 'missing_charge' then 'points that SOC rose by without a charge: ' || soc_rise_pct
            else 'km without a drive: ' || odometer_rise_km
        end as detail
    from missing

),

final as (

    select
        -- keys
        damage_kind,
        vehicle_id,
        reference,

        -- attributes
        detail
    from damage

)

select * from final
