{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('experiment__users') }}",
    "{{ settle_repeated_rows(
        key=['experiment_id', 'user_id', 'variant'],
        values=[
            'assigned_at', 'segment', 'pre_sessions', 'pre_low_price_sessions', 'pre_peak_sessions', 'pre_energy_kwh',
            'pre_low_price_energy_kwh', 'pre_cost_eur', 'pre_co2_g',
        ],
    ) }}",
]) }}
{% set format = '%Y-%m-%dT%H:%MZ' %}
{% set texts = ['experiment_id', 'user_id', 'variant', 'segment'] %}
{% set counts = ['pre_sessions', 'pre_low_price_sessions', 'pre_peak_sessions'] %}
{% set totals = counts + ['pre_energy_kwh', 'pre_low_price_energy_kwh', 'pre_cost_eur', 'pre_co2_g'] %}

with

source as (

    select * from {{ feed('experiment__users') }}

),

typed as (

    select
        *,
        {%- for column in texts %}
        {{ clean_text(column) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in totals %}
        {{ to_decimal(column, 18, 6) }} as typed_{{ column }},
        {%- endfor %}
        {{ to_local_time('assigned_at', format, 'UTC') }} as typed_assigned_at
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_experiment_id is null then 'missing_key:experiment_id'
                when typed_user_id is null then 'missing_key:user_id'
                when typed_variant is null then 'missing_key:variant'
                when {{ is_missing('assigned_at') }} then 'missing_value:assigned_at'
            end,
            {{ time_fault('assigned_at', 'typed_assigned_at') }},
            {%- for column in totals %}
            {{ number_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            case
                {%- for column in counts %}
                when typed_{{ column }} < 0 then 'negative_count:{{ column }}'
                {%- endfor %}
                when typed_pre_energy_kwh < 0 then 'negative_energy:pre_energy_kwh'
                when typed_pre_low_price_energy_kwh < 0 then 'negative_energy:pre_low_price_energy_kwh'
                when typed_pre_low_price_sessions > typed_pre_sessions then 'part_above_whole:pre_low_price_sessions'
                when typed_pre_peak_sessions > typed_pre_sessions then 'part_above_whole:pre_peak_sessions'
                when typed_pre_low_price_energy_kwh > typed_pre_energy_kwh then 'part_above_whole:pre_low_price_energy_kwh'
                when typed_pre_co2_g < 0 then 'negative_carbon:pre_co2_g'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_experiment_id as experiment_id,
        typed_user_id as user_id,
        typed_variant as variant,

        -- attributes
        typed_assigned_at as assigned_at,
        typed_segment as segment,

        -- measures
        {%- for column in totals %}
        typed_{{ column }} as {{ column }},
        {%- endfor %}

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
