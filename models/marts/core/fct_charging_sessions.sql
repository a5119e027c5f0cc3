with

residential as (

    select * from {{ ref('int_charging_sessions__residential') }}

),

final as (

    select * from residential

)

select * from final
