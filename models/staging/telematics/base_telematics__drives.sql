{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('telematics__drives') }}",
    "{{ settle_repeated_rows(
        key=['vehicle_id', 'started_at'],
        values=[
            'supplier',
            'ended_at',
            'soc_start_pct',
            'soc_end_pct',
            'odometer_start_km',
            'odometer_end_km',
            'energy_kwh',
        ],
    ) }}",
]) }}
{% set times = ['started_at', 'ended_at'] %}
{% set socs = ['soc_start', 'soc_end'] %}
{% set odometers = ['odometer_start', 'odometer_end'] %}
{% set max_energy_kwh = var('battery_tolerance') * var('max_battery_kwh') %}

with

source as (

    select * from {{ feed('telematics__drives') }}

),

named as (

    select
        *,
        nullif({{ normalised_id(clean_text('vehicle_id')) }}, '') as typed_vehicle_id,
        {{ clean_text('supplier') }} as typed_supplier
    from source

),

typed as (

    select
        *,
        {%- for column in times %}
        {{ supplier_clock_time(column, 'typed_supplier') }} as clock_{{ column }},
        {%- endfor %}
        {%- for column in socs %}
        {{ supplier_decimal(column, 'typed_supplier', 'soc', 9, 4) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in odometers %}
        {{ supplier_decimal(column, 'typed_supplier', 'distance', 18, 6) }} as typed_{{ column }},
        {%- endfor %}
        {{ supplier_decimal('energy', 'typed_supplier', 'power', 18, 6) }} as typed_energy
    from named

),

-- of times that the clock showed twice the earlier
placed as (

    select
        *,
        {%- for column in times %}
        {{ supplier_instant(column, 'clock_' ~ column, 'typed_supplier') }} as earliest_{{ column }},
        {{ supplier_set_back_minutes('clock_' ~ column, 'typed_supplier') }} as set_back_{{ column }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from typed

),

resolved as (

    select
        *,
        earliest_started_at as typed_started_at,
        {{ supplier_end('earliest_ended_at', 'set_back_ended_at', 'earliest_started_at') }} as typed_ended_at
    from placed

),

-- Nearly every row is plain: one condition finds those, and only the others are asked for their fault.
judged as (

    select
        *,
        case
            when
                _line_fault is null
                and typed_vehicle_id is not null
                and {{ is_of_supplier('typed_supplier', var('telematics_suppliers')) }}
                and typed_started_at >= cast('{{ var("earliest_date") }}' as timestamp)
                and typed_ended_at < cast('{{ var("as_of") }}' as timestamp)
                and typed_ended_at > typed_started_at
                and set_back_started_at = 0
                and set_back_ended_at = 0
                {%- for column in socs %}
                and typed_{{ column }} between 0 and 100
                {%- endfor %}
                and typed_odometer_start >= 0
                and typed_odometer_end >= typed_odometer_start
                and (energy is null or {{ is_plain_number('energy', 'typed_energy', max_energy_kwh) }})
                then null
            else coalesce(
                _line_fault,
                case
                    when typed_vehicle_id is null then 'missing_key:vehicle_id'
                    when {{ is_missing('started_at') }} then 'missing_key:started_at'
                    when typed_supplier is null then 'missing_value:supplier'
                    when not {{ is_of_supplier('typed_supplier', var('telematics_suppliers')) }}
                        then 'unknown_supplier:supplier'
                    {%- for column in ['ended_at'] + socs + odometers %}
                    when {{ is_missing(column) }} then 'missing_value:{{ column }}'
                    {%- endfor %}
                end,
                {%- for column in times %}
                {{ time_fault(column, 'typed_' ~ column) }},
                case when set_back_{{ column }} < 0 then 'nonexistent_time:{{ column }}' end,
                {%- endfor %}
                case when typed_ended_at <= typed_started_at then 'end_before_start:ended_at' end,
                {%- for column in socs %}
                {{ number_fault(column, 'typed_' ~ column) }},
                case when not typed_{{ column }} between 0 and 100 then 'out_of_range:{{ column }}' end,
                {%- endfor %}
                {%- for column in odometers %}
                {{ number_fault(column, 'typed_' ~ column) }},
                case when typed_{{ column }} < 0 then 'negative_distance:{{ column }}' end,
                {%- endfor %}
                case when typed_odometer_end < typed_odometer_start then 'falling_odometer:odometer_end' end,
                {{ number_fault('energy', 'typed_energy') }},
                case
                    when typed_energy < 0 then 'negative_energy:energy'
                    when typed_energy > {{ max_energy_kwh }} then 'implausible_energy:energy'
                end
            )
        end as rejection_reason
    from resolved

),

final as (

    select
        -- keys
        typed_vehicle_id as vehicle_id,
        typed_started_at as started_at,

        -- attributes
        typed_supplier as supplier,
        typed_ended_at as ended_at,

        -- measures
        typed_soc_start as soc_start_pct,
        typed_soc_end as soc_end_pct,
        typed_odometer_start as odometer_start_km,
        typed_odometer_end as odometer_end_km,
        typed_energy as energy_kwh,

        -- flags
        {{ supplier_time_is_ambiguous() }} as is_ambiguous_time,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
