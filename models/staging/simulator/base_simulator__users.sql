{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('simulator__users') }}",
    "{{ settle_repeated_rows(
        key=['run_id', 'user_id'],
        values=[
            'archetype',
            'battery_kwh',
            'charger_kw',
            'target_soc_pct',
            'reserve_soc_pct',
            'km_per_kwh',
            'price_zone',
            'time_zone',
        ],
    ) }}",
]) }}
{% set texts = ['run_id', 'user_id', 'archetype', 'price_zone', 'time_zone'] %}
{% set numbers = ['battery_kwh', 'charger_kw', 'target_soc_pct', 'reserve_soc_pct', 'km_per_kwh'] %}

with

source as (

    select * from {{ feed('simulator__users') }}

),

typed as (

    select
        *,
        {%- for column in texts %}
        {{ clean_text(column) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in numbers %}
        {{ to_decimal(column, 18, 6) }} as typed_{{ column }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_run_id is null then 'missing_key:run_id'
                when contains(typed_run_id, '/') then 'slash_in_key:run_id'
                when typed_user_id is null then 'missing_key:user_id'
                when typed_archetype is null then 'missing_value:archetype'
                {%- for column in numbers %}
                when {{ is_missing(column) }} then 'missing_value:{{ column }}'
                {%- endfor %}
            end,
            {%- for column in numbers %}
            {{ number_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            case
                when not typed_battery_kwh between 1 and {{ var('battery_tolerance') * var('max_battery_kwh') }}
                    then 'out_of_range:battery_kwh'
                when not typed_charger_kw between 0.1 and {{ var('simulator_port_power_kw') }} then 'out_of_range:charger_kw'
                when not typed_target_soc_pct between 0 and 100 then 'out_of_range:target_soc_pct'
                when not typed_reserve_soc_pct between 0 and 100 then 'out_of_range:reserve_soc_pct'
                when not typed_km_per_kwh between 0.1 and 100 then 'out_of_range:km_per_kwh'
            end,
            {{ time_zone_fault('time_zone', 'typed_time_zone') }}
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_run_id as run_id,
        typed_user_id as user_id,

        -- attributes
        typed_archetype as archetype,
        typed_price_zone as price_zone,
        typed_time_zone as time_zone,

        -- measures
        typed_battery_kwh as battery_kwh,
        typed_charger_kw as charger_kw,
        cast(typed_target_soc_pct as decimal(9, 4)) as target_soc_pct,
        cast(typed_reserve_soc_pct as decimal(9, 4)) as reserve_soc_pct,
        typed_km_per_kwh as km_per_kwh,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
