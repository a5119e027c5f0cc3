with

judged as (

    {{ cell_safety(ref('int_extracts__published_types'), ['month', 'vehicle_type'], shares=['hungry_share']) }}

),

final as (

    select
        -- keys
        month,
        vehicle_type,

        -- attributes
        hidden_reason,

        -- measures
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients,

        -- flags
        has_some_hungry_share,
        has_rest_hungry_share
    from judged

)

select * from final
