with

judged as (

    {{ smallest_safe_union(ref('int_extracts__battery_contributions'), ['month'], 'battery_class', ['energy_kwh'], 'other') }}

),

final as (

    select
        -- keys
        month,
        battery_class,

        -- attributes
        case when not is_in_union then battery_class when is_union_safe then 'other' end as published_class,
        hidden_reason,

        -- measures
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients
    from judged

)

select * from final
