{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('simulator__trips') }}",
    "{{ settle_repeated_rows(
        key=['run_id', 'user_id', 'departed_at'],
        values=['arrived_at', 'distance_km', 'driving_kwh', 'public_kwh', 'soc_start_pct', 'soc_end_pct'],
    ) }}",
]) }}
{% set texts = ['run_id', 'user_id'] %}
{% set times = ['departed_at', 'arrived_at'] %}
{% set amounts = ['distance_km', 'driving_kwh', 'public_kwh'] %}
{% set socs = ['soc_start_pct', 'soc_end_pct'] %}

with

source as (

    select * from {{ feed('simulator__trips') }}

),

typed as (

    select
        *,
        {%- for column in texts %}
        {{ clean_text(column) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in times %}
        {{ to_iso_instant(column) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in amounts %}
        {{ to_decimal(column, 18, 6) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in socs %}
        {{ to_decimal(column, 9, 4) }} as typed_{{ column }}{% if not loop.last %},{% endif %}
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
                when {{ is_missing('departed_at') }} then 'missing_key:departed_at'
                {%- for column in ['arrived_at'] + amounts + socs %}
                when {{ is_missing(column) }} then 'missing_value:{{ column }}'
                {%- endfor %}
            end,
            {%- for column in times %}
            {{ time_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            case when typed_arrived_at <= typed_departed_at then 'end_before_start:arrived_at' end,
            {%- for column in amounts %}
            {{ number_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            {%- for column in socs %}
            {{ number_fault(column, 'typed_' ~ column) }},
            case when not typed_{{ column }} between 0 and 100 then 'out_of_range:{{ column }}' end,
            {%- endfor %}
            case
                when typed_distance_km < 0 then 'negative_distance:distance_km'
                when typed_driving_kwh < 0 then 'negative_energy:driving_kwh'
                when typed_public_kwh < 0 then 'negative_energy:public_kwh'
                {%- for column in ['driving_kwh', 'public_kwh'] %}
                when
                    typed_{{ column }} > {{ var('energy_tolerance') * var('network_port_power_kw') }}
                    * {{ minutes_between('typed_departed_at', 'typed_arrived_at') }} / 60
                    then 'implausible_energy:{{ column }}'
                {%- endfor %}
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_run_id as run_id,
        typed_user_id as user_id,
        typed_departed_at as departed_at,

        -- attributes
        typed_arrived_at as arrived_at,

        -- measures
        typed_distance_km as distance_km,
        typed_driving_kwh as driving_kwh,
        typed_public_kwh as public_kwh,
        typed_soc_start_pct as soc_start_pct,
        typed_soc_end_pct as soc_end_pct,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
