with

final as (

    {{ of_every_feed(rejected_rows_of) }}

)

select * from final
