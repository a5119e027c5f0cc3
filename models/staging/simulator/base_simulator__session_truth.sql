{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('simulator__session_truth') }}",
    "{{ settle_repeated_rows(
        key=['run_id', 'user_id', 'plugged_in_at'],
        values=[
            'plugged_out_at',
            'expected_departure_at',
            'charging_started_at',
            'charging_ended_at',
            'charging_seconds',
            'import_kwh',
            'export_kwh',
            'soc_start_pct',
            'soc_end_pct',
        ],
    ) }}",
]) }}
{% set texts = ['run_id', 'user_id'] %}
{% set times = ['plugged_in_at', 'plugged_out_at', 'expected_departure_at', 'charging_started_at', 'charging_ended_at'] %}
{% set amounts = ['charging_seconds', 'import_kwh', 'export_kwh'] %}
{% set socs = ['soc_start_pct', 'soc_end_pct'] %}

with

source as (

    select * from {{ feed('simulator__session_truth') }}

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
                when {{ is_missing('plugged_in_at') }} then 'missing_key:plugged_in_at'
                {%- for column in amounts + socs %}
                when {{ is_missing(column) }} then 'missing_value:{{ column }}'
                {%- endfor %}
            end,
            {%- for column in times %}
            {{ time_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            case
                when typed_plugged_out_at <= typed_plugged_in_at then 'end_before_start:plugged_out_at'
                when typed_charging_ended_at < typed_charging_started_at then 'end_before_start:charging_ended_at'
            end,
            {%- for column in amounts + socs %}
            {{ number_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            case
                when
                    not typed_charging_seconds between 0 and 2147483647
                    or typed_charging_seconds <> trunc(typed_charging_seconds)
                    then 'out_of_range:charging_seconds'
                when typed_import_kwh < 0 then 'negative_energy:import_kwh'
                when typed_export_kwh < 0 then 'negative_energy:export_kwh'
                when not typed_soc_start_pct between 0 and 100 then 'out_of_range:soc_start_pct'
                when not typed_soc_end_pct between 0 and 100 then 'out_of_range:soc_end_pct'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_run_id as run_id,
        typed_user_id as user_id,
        typed_plugged_in_at as plugged_in_at,

        -- attributes
        typed_plugged_out_at as plugged_out_at,
        typed_expected_departure_at as expected_departure_at,
        typed_charging_started_at as charging_started_at,
        typed_charging_ended_at as charging_ended_at,

        -- measures
        try_cast(typed_charging_seconds as integer) as charging_seconds,
        typed_import_kwh as import_kwh,
        typed_export_kwh as export_kwh,
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
