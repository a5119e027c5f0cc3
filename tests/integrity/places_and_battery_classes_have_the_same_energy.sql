with

by_place as (

    select
        month,
        sum(energy_kwh) as energy_kwh
    from {{ ref('int_extracts__session_contributions') }}
    group by month

),

by_class as (

    select
        month,
        sum(energy_kwh) as energy_kwh
    from {{ ref('int_extracts__battery_contributions') }}
    group by month

),

final as (

    select
        coalesce(by_place.month, by_class.month) as month,
        by_place.energy_kwh as place_kwh,
        by_class.energy_kwh as class_kwh
    from by_place
    full outer join by_class
        on by_place.month = by_class.month

)

select * from final
where place_kwh is distinct from class_kwh
