{{ config(parameters=kpi_range_parameters()) }}

with

arguments as (

    {{ kpi_arguments() }}

),

days as (

    {{ kpi_days() }}

)

select sum(energy_kwh) as total_energy_kwh
from days
