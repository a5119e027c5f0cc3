{{ config(materialized='view') }}

with

messages as (

    select * from {{ in_warehouse('stg_network__charger_messages') }}

),

clock_offsets as (

    select * from {{ in_warehouse('int_network__clock_offsets') }}

),

placed as (

    select
        messages.*,
        coalesce(
            case
                when clock_offsets.offset_seconds is null then messages.stamped_at
                else messages.stamped_at + interval 1 second * clock_offsets.offset_seconds
            end,
            messages.received_at
        ) as occurred_at
    from messages
    left join clock_offsets
        on
            messages.charger_id = clock_offsets.charger_id
            -- a condition beside the keys would cost DuckDB its hash join
            and case when messages.is_from_charger then cast(messages.received_at as date) end = clock_offsets.received_on

),

final as (

    select
        *,
        {{ seconds_between('occurred_at', 'received_at') }} as delay_seconds
    from placed

)

select * from final
