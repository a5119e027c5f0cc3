{{ config(parameters=kpi_range_parameters()) }}

{{ with_kpi_days() }}

select
    cast(sum(energy_kwh) as double) / (date_diff('day', min(date_key), max(date_key)) + 1) as avg_daily_energy_kwh
from days
