{{ config(parameters=kpi_range_parameters()) }}

{{ with_kpi_days() }}

select max(peak_hourly_load_kwh) as peak_hourly_load_kwh
from days
