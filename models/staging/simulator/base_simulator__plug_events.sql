{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('simulator__plug_events') }}",
    "{{ settle_repeated_rows(
        key=['run_id', 'user_id', 'event', 'occurred_at'],
        values=['received_at', 'soc_pct', 'import_register_kwh', 'export_register_kwh'],
    ) }}",
]) }}
{% set longest_delay_seconds = 86400 * var('simulator_max_delay_days') %}
{% set texts = ['run_id', 'user_id', 'event'] %}
{% set times = ['occurred_at', 'received_at'] %}
{% set registers = ['import_register_kwh', 'export_register_kwh'] %}

with

source as (

    select * from {{ feed('simulator__plug_events') }}

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
        {%- for column in registers %}
        {{ to_decimal(column, 18, 6) }} as typed_{{ column }},
        {%- endfor %}
        {{ to_decimal('soc_pct', 9, 4) }} as typed_soc_pct
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
                when typed_event is null then 'missing_key:event'
                when {{ is_missing('occurred_at') }} then 'missing_key:occurred_at'
                {%- for column in ['received_at'] + registers %}
                when {{ is_missing(column) }} then 'missing_value:{{ column }}'
                {%- endfor %}
                when typed_event not in ('plug_in', 'charge_start', 'charge_stop', 'plug_out') then 'unknown_event:event'
            end,
            {%- for column in times %}
            {{ time_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            case
                when abs({{ seconds_between('typed_occurred_at', 'typed_received_at') }}) > {{ longest_delay_seconds }}
                    then 'implausible_delay:occurred_at'
            end,
            {%- for column in registers %}
            {{ number_fault(column, 'typed_' ~ column) }},
            case when typed_{{ column }} < 0 then 'negative_energy:{{ column }}' end,
            {%- endfor %}
            {{ number_fault('soc_pct', 'typed_soc_pct') }},
            case when not typed_soc_pct between 0 and 100 then 'out_of_range:soc_pct' end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_run_id as run_id,
        typed_user_id as user_id,
        typed_event as event,
        typed_occurred_at as occurred_at,

        -- attributes
        typed_received_at as received_at,

        -- measures
        typed_soc_pct as soc_pct,
        typed_import_register_kwh as import_register_kwh,
        typed_export_register_kwh as export_register_kwh,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
