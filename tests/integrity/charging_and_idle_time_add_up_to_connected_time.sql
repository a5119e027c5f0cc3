select
    session_key,
    charging_minutes,
    idle_minutes,
    connected_minutes
from {{ ref('fct_charging_sessions') }}
where charging_minutes + idle_minutes <> connected_minutes
