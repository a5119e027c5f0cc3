{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('simulator__injected_damage') }}",
    "{{ settle_repeated_rows(
        key=['damage_kind', 'run_id', 'user_id', 'reference'],
        values=[],
    ) }}",
]) }}
{% set texts = ['damage_kind', 'run_id', 'user_id'] %}

with

source as (

    select * from {{ feed('simulator__injected_damage') }}

),

typed as (

    select
        *,
        {%- for column in texts %}
        {{ clean_text(column) }} as typed_{{ column }},
        {%- endfor %}
        {{ to_iso_instant('reference') }} as typed_reference
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                {%- for column in texts %}
                when typed_{{ column }} is null then 'missing_key:{{ column }}'
                {%- endfor %}
                when contains(typed_run_id, '/') then 'slash_in_key:run_id'
                when {{ is_missing('reference') }} then 'missing_key:reference'
                -- no IN list, which DuckDB joins to
                when
                    not list_contains(
                        [
                            'repeated_row',
                            'late_event',
                            'missing_interval',
                            'register_reset',
                            'unit_slip',
                            'missing_plug_out',
                            'clock_skew'
                        ],
                        typed_damage_kind
                    )
                    then 'unknown_kind:damage_kind'
            end,
            {{ time_fault('reference', 'typed_reference') }}
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_damage_kind as damage_kind,
        typed_run_id as run_id,
        typed_user_id as user_id,
        typed_reference as reference,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
