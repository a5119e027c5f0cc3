{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('network__stations') }}",
    "{{ settle_repeated_rows(
        key=['station_id'],
        values=['site_id', 'station_name', 'site_timezone', 'protocol', 'heartbeat_seconds'],
    ) }}",
]) }}
{% set texts = ['station_id', 'site_id', 'station_name', 'time_zone'] %}

with

source as (

    select * from {{ feed('network__stations') }}

),

typed as (

    select
        *,
        {%- for column in texts %}
        {{ clean_text(column) }} as typed_{{ column }},
        {%- endfor %}
        lower({{ clean_text('protocol') }}) as typed_protocol,
        {{ to_decimal('heartbeat_seconds', 18, 6) }} as typed_heartbeat_seconds
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case when typed_station_id is null then 'missing_key:station_id' end,
            {{ time_zone_fault('time_zone', 'typed_time_zone') }},
            case when typed_protocol not in ('ocpp1.6', 'ocpp2.0.1') then 'unknown_protocol:protocol' end,
            {{ number_fault('heartbeat_seconds', 'typed_heartbeat_seconds') }},
            case
                when
                    typed_heartbeat_seconds not between 1 and 604800
                    or typed_heartbeat_seconds <> trunc(typed_heartbeat_seconds)
                    then 'out_of_range:heartbeat_seconds'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        typed_station_id as station_id,

        -- attributes
        typed_site_id as site_id,
        typed_station_name as station_name,
        typed_time_zone as site_timezone,
        typed_protocol as protocol,

        -- measures
        try_cast(typed_heartbeat_seconds as integer) as heartbeat_seconds,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
