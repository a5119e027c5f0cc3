with

sessions as (

    select * from {{ ref('int_telematics__charging_sessions') }}

),

final as (

    select
        -- keys
        {{ surrogate_key(["'telematics'", 'session_id']) }} as session_key,

        -- foreign keys
        {{ surrogate_key(["'telematics'", 'vehicle_id']) }} as vehicle_key,
        cast(started_local_at as date) as date_key,

        -- attributes
        {{ month_of('started_local_at') }} as month,
        completeness,
        incomplete_reason,
        energy_source,
        coalesce(place, 'unknown') as place,

        -- measures
        energy_kwh,
        mean_power_kw,
        max_power_kw,
        duration_minutes,
        soc_start_pct,
        soc_end_pct,
        cast(soc_end_pct - soc_start_pct as decimal(9, 4)) as soc_change_pct
    from sessions

)

select * from final
