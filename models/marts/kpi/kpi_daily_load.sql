{{ config(alias='daily_load', parameters=kpi_range_parameters()) }}

{{ with_kpi_days() }}

select
    date_key as day,
    energy_kwh as daily_energy_kwh
from days
order by date_key
