{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('network__injected_damage') }}",
    "{{ settle_repeated_rows(key=['damage_kind', 'charger_id', 'reference'], values=[]) }}",
]) }}
{% set columns = ['kind', 'charger_id', 'reference'] %}

with

source as (

    select * from {{ feed('network__injected_damage') }}

),

typed as (

    select
        *,
        {%- for column in columns %}
        {{ clean_text(column) }} as typed_{{ column }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                {%- for column in columns %}
                when typed_{{ column }} is null then 'missing_key:{{ column }}'
                {%- endfor %}
                -- no IN list, which DuckDB joins to
                when
                    not list_contains(
                        [
                            'repeated_message',
                            'late_message',
                            'register_reset',
                            'missing_stop',
                            'clock_off',
                            'unknown_driver',
                            'unreadable_register'
                        ],
                        typed_kind
                    )
                    then 'unknown_kind:kind'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_kind as damage_kind,
        typed_charger_id as charger_id,
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
