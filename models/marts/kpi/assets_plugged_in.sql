{{ config(parameters=['from_at', 'to_at']) }}

{{ with_stays_plugged_in(
    kpi_instant('from_at'),
    "case when " ~ kpi_instant('from_at') ~ " > " ~ kpi_instant('to_at')
    ~ " then error('from_at must not be after to_at') else " ~ kpi_instant('to_at') ~ " end",
) }}

select
    run_id,
    user_id,
    archetype,
    session_id,
    plugged_in_at,
    plugged_out_at,
    cast(seconds_plugged_in / 60 as decimal(18, 6)) as minutes_plugged_in,
    soc_pct,
    plugged_in_at <= span_starts_at and ended_at >= span_ends_at as is_whole_window
from stays
order by run_id, user_id, plugged_in_at
