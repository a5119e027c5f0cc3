with

contacts as (

    select * from {{ ref('int_network__contacts') }}

),

final as (

    select
        min(first_received_at) as observed_from,
        max(last_received_at) as observed_to
    from contacts
    having count(*) > 0

)

select * from final
