select
    counted.experiment_id,
    counted.session_id,
    counted.user_id,
    sessions.user_key
from {{ ref('int_experiment_sessions') }} as counted
left join {{ ref('fct_charging_sessions') }} as sessions
    on
        counted.session_id = sessions.session_id
        and sessions.source_system = 'experiment'
where
    sessions.session_id is null
    or sessions.user_key <> {{ surrogate_key(["'experiment'", 'counted.user_id']) }}
    or sessions.energy_kwh is distinct from counted.energy_kwh
