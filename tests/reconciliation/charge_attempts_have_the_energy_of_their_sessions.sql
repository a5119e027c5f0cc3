select
    attempts.attempt_id,
    attempts.energy_kwh,
    sessions.energy_kwh as session_kwh
from {{ ref('fct_charge_attempts') }} as attempts
inner join {{ ref('fct_charging_sessions') }} as sessions
    on attempts.session_key = sessions.session_key
where attempts.energy_kwh is distinct from sessions.energy_kwh
