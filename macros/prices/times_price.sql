{#- Energy in kWh times a price in EUR/MWh or a carbon content in g/kWh, in thousandths of EUR or kg. The energy is made wider
    first: a product of decimals of up to 18 digits has 18 digits in DuckDB, and an hour of a fleet would overflow. -#}
{% macro times_price(energy_kwh, price) -%}
    cast({{ energy_kwh }} as decimal(19, 6)) * {{ price }}
{%- endmacro %}
