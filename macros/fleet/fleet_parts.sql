{#- The parts of a fleet that its figures are given for, each with the condition on a row of int_simulator__car_half_hours. -#}
{% macro fleet_parts() %}
    {{ return({'all': 'true', 'connected': 'is_connected'}) }}
{% endmacro %}
