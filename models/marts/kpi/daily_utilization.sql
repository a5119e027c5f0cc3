{{ config(parameters=kpi_range_parameters()) }}

{{ with_kpi_days() }}

select
    date_key as day,
    active_hours
from days
order by date_key
