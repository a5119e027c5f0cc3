{{ config(materialized='table', post_hook=[
    "{{ keep_unreadable_lines('market__prices') }}",
    "{{ settle_repeated_rows(
        key=['price_zone', 'starts_at'],
        values=['minutes', 'price_eur_per_mwh', 'gco2_per_kwh'],
    ) }}",
]) }}

with

source as (

    select * from {{ feed('market__prices') }}

),

typed as (

    select
        *,

        -- keys
        {{ clean_text('zone') }} as price_zone,
        {{ to_local_time('starts_at', '%Y-%m-%dT%H:%MZ', 'UTC') }} as interval_starts_at,

        -- measures
        {{ to_decimal('minutes', 9, 4) }} as interval_minutes,
        {{ to_decimal('eur_per_mwh', 12, 4) }} as price_eur_per_mwh,
        {{ to_decimal('g_co2_per_kwh', 12, 4) }} as gco2_per_kwh
    from source

),

judged as (

    select
        *,
        coalesce(
            _line_fault,
            case
                when price_zone is null then 'missing_key:zone'
                when {{ is_missing('starts_at') }} then 'missing_key:starts_at'
            end,
            {{ time_fault('starts_at', 'interval_starts_at') }},
            case when interval_starts_at <> date_trunc('minute', interval_starts_at) then 'not_a_minute:starts_at' end,
            case when {{ is_missing('minutes') }} then 'missing_value:minutes' end,
            {{ number_fault('minutes', 'interval_minutes') }},
            -- no IN list, which DuckDB joins to
            case when not list_contains([5, 10, 15, 20, 30, 60], interval_minutes) then 'out_of_range:minutes' end,
            {{ number_fault('eur_per_mwh', 'price_eur_per_mwh') }},
            {{ number_fault('g_co2_per_kwh', 'gco2_per_kwh') }},
            case
                when price_eur_per_mwh is null and gco2_per_kwh is null then 'missing_value:eur_per_mwh'
                when abs(price_eur_per_mwh) > {{ var('max_price_eur_per_mwh') }} then 'implausible_price:eur_per_mwh'
                when gco2_per_kwh < 0 then 'negative_carbon:g_co2_per_kwh'
                when gco2_per_kwh > {{ var('max_gco2_per_kwh') }} then 'implausible_carbon:g_co2_per_kwh'
            end
        ) as rejection_reason
    from typed

),

final as (

    select
        -- keys
        price_zone,
        interval_starts_at as starts_at,

        -- measures
        cast(interval_minutes as integer) as minutes,
        price_eur_per_mwh,
        gco2_per_kwh,

        -- metadata
        _file_number as file_number,
        cast(null as bigint) as line_number,
        case when rejection_reason is not null then _raw_text end as raw_text,
        rejection_reason,
        {{ row_status() }} as row_status
    from judged

)

select * from final
