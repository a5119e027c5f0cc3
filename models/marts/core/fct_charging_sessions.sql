with

residential as (

    select * from {{ ref('int_charging_sessions__residential') }}

),

experiment as (

    select * from {{ ref('int_charging_sessions__experiment') }}

),

final as (

    select * from residential

    union all

    select * from experiment

)

select * from final
