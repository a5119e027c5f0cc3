{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('network__ports') }}",
    "{{ settle_repeated_rows(
        key=['station_id', 'evse_id'],
        values=['connectors', 'rated_power_kw', 'commissioned_on', 'retired_on', 'port_timezone'],
    ) }}",
]) }}

with

source as (

    select * from {{ feed('network__ports') }}

),

typed as (

    select
        *,
        {%- for column in ['station_id', 'connectors', 'time_zone'] %}
        {{ clean_text(column) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in ['evse_id', 'rated_power_kw'] %}
        {{ to_decimal(column, 18, 6) }} as typed_{{ column }},
        {%- endfor %}
        {%- for column in ['commissioned_on', 'retired_on'] %}
        {{ to_date(column) }} as typed_{{ column }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when typed_station_id is null then 'missing_key:station_id'
                when {{ is_missing('evse_id') }} then 'missing_key:evse_id'
            end,
            {{ number_fault('evse_id', 'typed_evse_id') }},
            case when {{ is_no_evse_id('typed_evse_id') }} then 'out_of_range:evse_id' end,
            {{ number_fault('rated_power_kw', 'typed_rated_power_kw') }},
            case when typed_rated_power_kw <= 0 then 'out_of_range:rated_power_kw' end,
            {{ time_fault('commissioned_on', 'typed_commissioned_on') }},
            {{ time_fault('retired_on', 'typed_retired_on') }},
            case when typed_retired_on < typed_commissioned_on then 'end_before_start:retired_on' end,
            {{ time_zone_fault('time_zone', 'typed_time_zone') }}
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_station_id as station_id,
        try_cast(typed_evse_id as integer) as evse_id,

        -- attributes
        typed_connectors as connectors,
        typed_commissioned_on as commissioned_on,
        typed_retired_on as retired_on,
        typed_time_zone as port_timezone,

        -- measures
        typed_rated_power_kw as rated_power_kw,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
