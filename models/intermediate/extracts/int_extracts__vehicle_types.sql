with

judged as (

    {{ smallest_safe_union(ref('int_extracts__consumption_contributions'), ['month'], 'vehicle_type', [], 'other') }}

),

final as (

    select
        -- keys
        month,
        vehicle_type,

        -- attributes
        case when not is_in_union then vehicle_type when is_union_safe then 'other' end as published_class,
        hidden_reason,

        -- measures
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients
    from judged

)

select * from final
