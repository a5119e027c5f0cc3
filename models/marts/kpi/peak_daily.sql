{{ config(parameters=kpi_range_parameters()) }}

{{ with_kpi_days() }}

select max(energy_kwh) as peak_daily_energy_kwh
from days
