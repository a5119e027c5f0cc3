{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('simulator__telemetry') }}",
    "{{ settle_repeated_rows(
        key=['run_id', 'user_id', 'starts_at'],
        values=[
            'ends_at',
            'import_kwh',
            'export_kwh',
            'import_register_kwh',
            'export_register_kwh',
            'soc_pct',
            'state',
        ],
    ) }}",
]) }}
{% set texts = ['run_id', 'user_id', 'state'] %}
{% set times = ['starts_at', 'ends_at'] %}
{% set energies = ['import_kwh', 'export_kwh', 'import_register_kwh', 'export_register_kwh'] %}
{% set minutes = minutes_between('typed_starts_at', 'typed_ends_at') %}
{#- A stay whose energy was sent in Wh is repaired when it is rebuilt: no reason to reject it. -#}
{% set max_power_kw = 1000 * var('energy_tolerance') * var('simulator_port_power_kw') %}

with

source as (

    select * from {{ feed('simulator__telemetry') }}

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
        {%- for column in energies %}
        {{ to_decimal(column, 18, 6) }} as typed_{{ column }},
        {%- endfor %}
        {{ to_decimal('soc_pct', 9, 4) }} as typed_soc_pct
    from source

),

-- Nearly every row is plain: one condition finds those, and only the others are asked for their fault.
judged as (

    select
        *,
        case
            when
                _line_fault is null
                and not contains(typed_run_id, '/')
                and typed_user_id is not null
                and typed_starts_at >= cast('{{ var("earliest_date") }}' as timestamp)
                and typed_ends_at < cast('{{ var("as_of") }}' as timestamp)
                and typed_ends_at > typed_starts_at
                and {{ minutes }} <= {{ var('simulator_max_interval_minutes') }}
                {%- for column in energies %}
                and typed_{{ column }} >= 0
                {%- endfor %}
                and greatest(typed_import_kwh, typed_export_kwh) <= {{ max_power_kw }} * {{ minutes }} / 60
                and typed_soc_pct between 0 and 100
                and typed_state in ('charging', 'idle', 'exporting')
                then null
            else coalesce(
                _line_fault,
                case
                    when typed_run_id is null then 'missing_key:run_id'
                    when contains(typed_run_id, '/') then 'slash_in_key:run_id'
                    when typed_user_id is null then 'missing_key:user_id'
                    when {{ is_missing('starts_at') }} then 'missing_key:starts_at'
                    {%- for column in ['ends_at'] + energies + ['state'] %}
                    when {{ is_missing(column) }} then 'missing_value:{{ column }}'
                    {%- endfor %}
                    when typed_state not in ('charging', 'idle', 'exporting') then 'unknown_state:state'
                end,
                {%- for column in times %}
                {{ time_fault(column, 'typed_' ~ column) }},
                {%- endfor %}
                case
                    when typed_ends_at <= typed_starts_at then 'end_before_start:ends_at'
                    when {{ minutes }} > {{ var('simulator_max_interval_minutes') }} then 'implausible_duration:ends_at'
                end,
                {%- for column in energies %}
                {{ number_fault(column, 'typed_' ~ column) }},
                case when typed_{{ column }} < 0 then 'negative_energy:{{ column }}' end,
                {%- endfor %}
                case
                    when typed_import_kwh > {{ max_power_kw }} * {{ minutes }} / 60 then 'implausible_energy:import_kwh'
                    when typed_export_kwh > {{ max_power_kw }} * {{ minutes }} / 60 then 'implausible_energy:export_kwh'
                end,
                {{ number_fault('soc_pct', 'typed_soc_pct') }},
                case when not typed_soc_pct between 0 and 100 then 'out_of_range:soc_pct' end
            )
        end as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_run_id as run_id,
        typed_user_id as user_id,
        typed_starts_at as starts_at,

        -- attributes
        typed_ends_at as ends_at,
        typed_state as state,

        -- measures
        typed_import_kwh as import_kwh,
        typed_export_kwh as export_kwh,
        typed_import_register_kwh as import_register_kwh,
        typed_export_register_kwh as export_register_kwh,
        typed_soc_pct as soc_pct,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
