{{ config(parameters=kpi_range_parameters()) }}

{{ with_kpi_days() }}

select
    cast(sum(active_hours) as double)
    / (date_diff('day', min(date_key), max(date_key)) + 1) as avg_active_charging_hours_per_day
from days
