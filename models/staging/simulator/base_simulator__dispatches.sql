{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('simulator__dispatches') }}",
    "{{ settle_repeated_rows(
        key=['run_id', 'dispatch_id', 'user_id', 'event'],
        values=['occurred_at', 'window_starts_at', 'window_ends_at', 'mode', 'energy_kwh', 'counterfactual_run_id'],
    ) }}",
]) }}
{% set texts = ['run_id', 'dispatch_id', 'user_id', 'event', 'mode', 'counterfactual_run_id'] %}
{% set times = ['occurred_at', 'window_starts_at', 'window_ends_at'] %}

with

source as (

    select * from {{ feed('simulator__dispatches') }}

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
        {{ to_decimal('energy_kwh', 18, 6) }} as typed_energy_kwh
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
                when typed_dispatch_id is null then 'missing_key:dispatch_id'
                when typed_user_id is null then 'missing_key:user_id'
                when typed_event is null then 'missing_key:event'
                {%- for column in times + ['mode'] %}
                when {{ is_missing(column) }} then 'missing_value:{{ column }}'
                {%- endfor %}
                when typed_event not in ('instructed', 'acknowledged', 'metered') then 'unknown_event:event'
                when typed_mode not in ('drain', 'pause') then 'unknown_mode:mode'
                when typed_event <> 'acknowledged' and {{ is_missing('energy_kwh') }} then 'missing_value:energy_kwh'
            end,
            {%- for column in times %}
            {{ time_fault(column, 'typed_' ~ column) }},
            {%- endfor %}
            case when typed_window_ends_at <= typed_window_starts_at then 'end_before_start:window_ends_at' end,
            {{ number_fault('energy_kwh', 'typed_energy_kwh') }},
            case
                when
                    abs(typed_energy_kwh) > {{ var('energy_tolerance') * var('simulator_port_power_kw') }}
                    * {{ minutes_between('typed_window_starts_at', 'typed_window_ends_at') }} / 60
                    then 'implausible_energy:energy_kwh'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_run_id as run_id,
        typed_dispatch_id as dispatch_id,
        typed_user_id as user_id,
        typed_event as event,

        -- foreign keys
        typed_counterfactual_run_id as counterfactual_run_id,

        -- attributes
        typed_occurred_at as occurred_at,
        typed_window_starts_at as window_starts_at,
        typed_window_ends_at as window_ends_at,
        typed_mode as mode,

        -- measures
        typed_energy_kwh as energy_kwh,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
