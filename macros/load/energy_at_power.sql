{#- Energy in kWh that a number of seconds gives at a power in kW. -#}
{% macro energy_at_power(seconds, power_kw) -%}
    cast({{ seconds }} * {{ power_kw }} / 3600 as decimal(18, 6))
{%- endmacro %}
