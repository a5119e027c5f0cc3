{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('experiment__sessions') }}",
    "{{ settle_repeated_rows(
        key=['session_id'],
        values=[
            'user_id', 'plugged_in_at', 'charging_started_at', 'charging_ended_at', 'plugged_out_at', 'energy_kwh', 'cost_eur',
            'in_low_price_window',
        ],
    ) }}",
]) }}
{% set format = '%Y-%m-%dT%H:%MZ' %}
{% set times = ['plugged_in_at', 'charging_started_at', 'charging_ended_at', 'plugged_out_at'] %}

with

source as (

    select * from {{ feed('experiment__sessions') }}

),

typed as (

    select
        *,
        {{ clean_text('session_id') }} as typed_session_id,
        {{ clean_text('user_id') }} as typed_user_id,
        {%- for column in times %}
        {{ to_local_time(column, format, 'UTC') }} as typed_{{ column }},
        {%- endfor %}
        {{ to_decimal('energy_kwh', 18, 6) }} as typed_energy_kwh,
        {{ to_decimal('cost_eur', 18, 6) }} as typed_cost_eur,
        {{ to_boolean('in_low_price_window') }} as typed_in_low_price_window
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_session_id is null then 'missing_key:session_id'
                when {{ is_missing('plugged_in_at') }} then 'missing_value:plugged_in_at'
            end,
            {%- for column in times %}
            {{ time_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            {{ number_fault('energy_kwh', 'typed_energy_kwh') }},
            {{ number_fault('cost_eur', 'typed_cost_eur') }},
            {{ boolean_fault('in_low_price_window', 'typed_in_low_price_window') }},
            case
                when typed_charging_started_at < typed_plugged_in_at then 'end_before_start:charging_started_at'
                when
                    typed_charging_ended_at < coalesce(typed_charging_started_at, typed_plugged_in_at)
                    then 'end_before_start:charging_ended_at'
                when
                    typed_plugged_out_at < coalesce(typed_charging_ended_at, typed_charging_started_at, typed_plugged_in_at)
                    then 'end_before_start:plugged_out_at'
                when typed_energy_kwh < 0 then 'negative_energy:energy_kwh'
                when
                    typed_energy_kwh > {{ var('battery_tolerance') }} * {{ var('max_battery_kwh') }}
                    -- stamps are cut to the minute
                    or typed_energy_kwh > {{ var('energy_tolerance') }} * {{ var('experiment_port_power_kw') }}
                    * ({{ minutes_between('typed_plugged_in_at', 'typed_plugged_out_at') }} + 1) / 60
                    then 'implausible_energy:energy_kwh'
                when
                    abs(typed_cost_eur)
                    > {{ var('max_price_eur_per_mwh') }} / 1000 * {{ var('battery_tolerance') }} * {{ var('max_battery_kwh') }}
                    then 'implausible_cost:cost_eur'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_session_id as session_id,
        typed_user_id as user_id,

        -- time
        {%- for column in times %}
        typed_{{ column }} as {{ column }},
        {%- endfor %}

        -- measures
        typed_energy_kwh as energy_kwh,
        typed_cost_eur as cost_eur,

        -- flags
        typed_in_low_price_window as in_low_price_window,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
