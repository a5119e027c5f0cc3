{{ config(parameters=['"at"']) }}

{#- An instant is the shortest span there is. -#}
{{ with_stays_plugged_in(kpi_instant('"at"'), kpi_instant('"at"') ~ ' + interval 1 microsecond') }}

select
    run_id,
    user_id,
    archetype,
    session_id,
    plugged_in_at,
    plugged_out_at,
    soc_pct,
    target_soc_pct
from stays
where soc_pct >= target_soc_pct
order by run_id, user_id, plugged_in_at
