select
    cast({{ var('telematics_ageing_max_vehicles') }} as integer) as max_vehicles,
    cast({{ var('telematics_alpha') }} as double) as alpha
