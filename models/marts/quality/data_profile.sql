with

final as (

    {{ of_every_feed(feed_profile) }}

)

select * from final
