{{ config(parameters=kpi_range_parameters()) }}

{{ with_kpi_days() }}

select sum(energy_kwh) as total_energy_kwh
from days
