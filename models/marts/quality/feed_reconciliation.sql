with

feeds as (

    {{ of_every_feed(feed_balance) }}

),

final as (

    select
        feed,
        cast(files as integer) as files,
        cast(rows_read as bigint) as rows_read,
        cast(accepted_rows as bigint) as accepted_rows,
        cast(duplicate_rows as bigint) as duplicate_rows,
        cast(superseded_rows as bigint) as superseded_rows,
        cast(rejected_rows as bigint) as rejected_rows,
        cast(rows_read - accepted_rows - duplicate_rows - superseded_rows - rejected_rows as bigint) as unaccounted_rows,
        extra_columns
    from feeds

)

select * from final
