select *
from {{ ref('feed_reconciliation') }}
where unaccounted_rows is distinct from 0
