{{ config(materialized='view') }}

with

contributions as (

    select * from {{ in_warehouse('int_extracts__battery_contributions') }}

),

classes as (

    select * from {{ in_warehouse('int_extracts__battery_classes') }}
    where published_class is not null

),

published as (

    select
        contributions.* exclude (battery_class),
        classes.published_class as battery_class
    from contributions
    inner join classes
        on
            contributions.month = classes.month
            and contributions.battery_class = classes.battery_class

),

final as (

    select * from published

    union all

    select * replace ('all' as battery_class) from published

)

select * from final
