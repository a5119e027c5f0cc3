{% set time_zone = var('telematics_timezone') %}

with

drives as (

    select
        *,
        {{ utc_to_clock('started_at', time_zone) }} as started_local_at,
        {{ utc_to_clock('ended_at', time_zone) }} as ended_local_at,
        odometer_end_km - odometer_start_km as distance_km,
        cast({{ minutes_between('started_at', 'ended_at') }} as decimal(18, 6)) as duration_minutes,
        -- through DOUBLE: products of decimals could overflow
        cast(cast(soc_start_pct - soc_end_pct as double) / 100 * battery_kwh as decimal(18, 6)) as soc_energy_kwh
    from {{ ref('int_telematics__records') }}
    where record_kind = 'drive'

),

final as (

    select
        -- keys
        {{ surrogate_key(["'telematics'", 'vehicle_id', iso_text('started_at')]) }} as drive_key,
        'telematics' as source_system,

        -- foreign keys
        {{ surrogate_key(["'telematics'", 'vehicle_id']) }} as vehicle_key,
        cast(started_local_at as date) as date_key,
        {{ time_key('started_local_at') }} as time_key,

        -- attributes
        started_at,
        ended_at,
        started_local_at,
        ended_local_at,
        '{{ time_zone }}' as site_timezone,

        -- measures
        cast(distance_km as decimal(18, 6)) as distance_km,
        duration_minutes,
        soc_start_pct,
        soc_end_pct,
        odometer_start_km,
        odometer_end_km,
        energy_kwh,
        soc_energy_kwh,
        {%- for energy in ['energy_kwh', 'soc_energy_kwh'] %}
        cast(case when distance_km > 0 then cast({{ energy }} as double) * 100 / distance_km end as decimal(18, 6))
            as {{ energy | replace('energy_kwh', 'kwh_per_100km') }},
        {%- endfor %}

        -- flags
        coalesce(
            distance_km > {{ var('long_drive_km') }} or duration_minutes > {{ var('long_drive_minutes') }},
            false
        ) as is_long,
        is_ambiguous_time
    from drives

)

select * from final
