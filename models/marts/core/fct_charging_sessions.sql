with

residential as (

    select * from {{ ref('int_charging_sessions__residential') }}

),

experiment as (

    select * from {{ ref('int_charging_sessions__experiment') }}

),

network as (

    select * from {{ ref('int_charging_sessions__network') }}

),

simulator as (

    select * from {{ ref('int_charging_sessions__simulator') }}

),

telematics as (

    select * from {{ ref('int_charging_sessions__telematics') }}

),

final as (

    select * from residential

    union all

    select * from experiment

    union all

    select * from network

    union all

    select * from simulator

    union all

    select * from telematics

)

select * from final
