{#- A median of fewer messages says nothing about a clock. -#}
{% set min_messages = 5 %}
{% set tolerance = var('network_clock_tolerance_seconds') %}

with

messages as (

    select
        charger_id,
        cast(received_at as date) as received_on,
        {{ seconds_between('stamped_at', 'received_at') }} as delay_seconds
    from {{ ref('stg_network__charger_messages') }}
    where
        is_from_charger
        and stamped_at is not null

),

days as (

    select
        charger_id,
        received_on,
        percentile_disc(0.5) within group (order by delay_seconds) as median_seconds,
        min(delay_seconds) as shortest_seconds
    from messages
    group by charger_id, received_on
    having count(*) >= {{ min_messages }}

),

final as (

    select
        -- keys
        charger_id,
        received_on,

        -- measures
        median_seconds as offset_seconds
    from days
    where
        abs(median_seconds) > {{ tolerance }}
        -- messages that waited for a connection have long delays and short ones; a clock that is off moves all of them
        and median_seconds - shortest_seconds <= {{ tolerance }}

)

select * from final
