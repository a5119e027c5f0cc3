with

messages as (

    select * from {{ ref('stg_network__charger_messages') }}
    where is_from_charger

),

final as (

    select
        -- keys
        charger_id,

        -- attributes
        min(received_at) as first_received_at,
        max(received_at) as last_received_at
    from messages
    group by charger_id

)

select * from final
