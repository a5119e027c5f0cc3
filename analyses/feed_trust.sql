-- Question: did every delivered row arrive, and how many were turned down?
-- Who asks: everybody before quoting a figure; data owners after each delivery.
-- How to read: one row per feed. `unaccounted_rows` must be 0, else rows were lost. A rejected share that rises from one
-- delivery to the next points at a change in the delivering system: begin with `most_frequent_reason`.
with

reconciliation as (

    select * from {{ ref('feed_reconciliation') }}

),

rejected_rows as (

    select * from {{ ref('rejected_rows') }}

),

reasons as (

    select
        feed,
        rejection_reason,
        count(*) as rejected_rows
    from rejected_rows
    group by feed, rejection_reason

),

ranked_reasons as (

    select
        *,
        count(*) over (partition by feed) as reasons,
        row_number() over (partition by feed order by rejected_rows desc, rejection_reason) as reason_rank
    from reasons

),

final as (

    select
        -- keys
        reconciliation.feed,

        -- measures
        reconciliation.rows_read,
        reconciliation.accepted_rows,
        reconciliation.duplicate_rows,
        reconciliation.superseded_rows,
        reconciliation.rejected_rows,
        reconciliation.unaccounted_rows,
        cast(reconciliation.accepted_rows as double) / nullif(reconciliation.rows_read, 0) as accepted_share,
        cast(reconciliation.rejected_rows as double) / nullif(reconciliation.rows_read, 0) as rejected_share,
        coalesce(ranked_reasons.reasons, 0) as rejection_reasons,
        ranked_reasons.rejection_reason as most_frequent_reason
    from reconciliation
    left join ranked_reasons
        on
            reconciliation.feed = ranked_reasons.feed
            and ranked_reasons.reason_rank = 1
    order by reconciliation.feed

)

select * from final
