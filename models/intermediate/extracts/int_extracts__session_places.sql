with

judged as (

    {{ smallest_safe_union(ref('int_extracts__session_contributions'), ['month'], 'place', ['energy_kwh']) }}

),

final as (

    select
        -- keys
        month,
        place,

        -- attributes
        hidden_reason,

        -- measures
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients,

        -- flags
        not is_in_union as is_published
    from judged

)

select * from final
