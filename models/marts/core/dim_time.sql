with

quarters as (

    select generate_series as time_key
    from generate_series(0, 1425, 15)

),

final as (

    select
        -- keys
        cast(time_key as integer) as time_key,

        -- attributes
        cast(time_key // 60 as integer) as hour_of_day,
        cast(time_key % 60 as integer) as minute_of_hour,
        lpad(cast(time_key // 60 as varchar), 2, '0') || ':' || lpad(cast(time_key % 60 as varchar), 2, '0') as time_of_day,
        case
            when time_key < 6 * 60 then 'night'
            when time_key < 12 * 60 then 'morning'
            when time_key < 18 * 60 then 'afternoon'
            else 'evening'
        end as part_of_day
    from quarters

)

select * from final
