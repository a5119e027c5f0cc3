{#- What happened between two neighbouring records of a vehicle with the column battery_kwh, told by what one left and the next one
    found; NULL where there is no neighbour. A difference that isn't known contradicts nothing; a battery that isn't known may be
    the largest. A record that lasted beyond the start of the gap contradicts it: what happened is in that record already. -#}
{% macro gap_kind(gap_started_at, gap_ended_at, lasted_until, soc_rise_pct, odometer_rise_km) -%}
{%- set hours = seconds_between(gap_started_at, gap_ended_at) ~ ' / 3600' -%}
    case
        when {{ gap_started_at }} is null or {{ gap_ended_at }} is null then null
        when
            {{ gap_ended_at }} < {{ gap_started_at }}
            or {{ lasted_until }} > {{ gap_started_at }}
            or {{ odometer_rise_km }} < -{{ var('telematics_odometer_tolerance_km') }}
            or (
                {{ odometer_rise_km }} > {{ var('telematics_odometer_tolerance_km') }}
                and {{ odometer_rise_km }} > {{ var('telematics_max_speed_kmh') }} * {{ hours }}
            )
            or (
                {{ soc_rise_pct }} > {{ var('telematics_soc_tolerance_pct') }}
                and cast({{ soc_rise_pct }} as double) / 100 * coalesce(battery_kwh, {{ var('max_battery_kwh') }}) > {{ var('telematics_max_power_kw') }} * {{ hours }}
            )
            then 'contradiction'
        when {{ soc_rise_pct }} > {{ var('telematics_soc_tolerance_pct') }} then 'inferred_session'
        when {{ odometer_rise_km }} > {{ var('telematics_odometer_tolerance_km') }} then 'inferred_drive'
        when {{ soc_rise_pct }} < -{{ var('telematics_soc_tolerance_pct') }} then 'standby_loss'
        else 'standing'
    end
{%- endmacro %}
