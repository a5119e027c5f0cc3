{{ config(materialized='view') }}

with

contributions as (

    select * from {{ in_warehouse('int_extracts__consumption_contributions') }}

),

classes as (

    select * from {{ in_warehouse('int_extracts__vehicle_types') }}
    where published_class is not null

),

final as (

    select
        contributions.* exclude (vehicle_type),
        classes.published_class as vehicle_type
    from contributions
    inner join classes
        on
            contributions.month = classes.month
            and contributions.vehicle_type = classes.vehicle_type

)

select * from final
