select
    cast({{ var('simulator_validation_users') }} as integer) as users,
    cast({{ var('simulator_validation_days') }} as integer) as days,
    cast({{ var('simulator_validation_min_users') }} as integer) as min_users,
    '{{ var('simulator_price_zone') }}' as price_zone,
    '{{ var('simulator_timezone') }}' as time_zone
