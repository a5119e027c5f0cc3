{{ config(severity='warn') }}

select
    counted.experiment_id,
    counted.session_id,
    counted.started_at,
    counted.delivered_is_low_price,
    counted.priced_is_low_price
from {{ ref('int_experiment_sessions') }} as counted
inner join {{ ref('fct_charging_sessions') }} as sessions
    on
        counted.session_id = sessions.session_id
        and sessions.source_system = 'experiment'
where
    counted.delivered_is_low_price <> counted.priced_is_low_price
    -- else the sender may know of a later begin
    and sessions.charging_started_at is not null
