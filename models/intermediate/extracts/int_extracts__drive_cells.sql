with

judged as (

    {{ cell_safety(ref('int_extracts__drive_contributions'), ['drive_date', 'day_period'], shares=['long_share']) }}

),

final as (

    select
        -- keys
        drive_date,
        day_period,

        -- attributes
        hidden_reason,

        -- measures
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients,

        -- flags
        has_some_long_share,
        has_rest_long_share
    from judged

)

select * from final
