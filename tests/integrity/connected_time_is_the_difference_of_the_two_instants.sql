select
    session_key,
    plugged_in_at,
    plugged_out_at,
    connected_minutes
from {{ ref('fct_charging_sessions') }}
where
    (connected_minutes is null) <> (plugged_in_at is null or plugged_out_at is null)
    or abs(connected_minutes * 60 - extract(epoch from plugged_out_at - plugged_in_at)) > 0.001
