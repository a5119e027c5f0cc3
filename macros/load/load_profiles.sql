{#- The load profiles of an hourly load: name in the warehouse, column of the published files, power in kW.
    synthetic: charging as it would happen at that power from the plug-in on; flex: energy that could still be shifted. -#}
{% macro load_profiles() %}
    {{ return([
        {'name': 'synthetic_3_6', 'delivered_as': 'Synthetic_3_6kW', 'power_kw': 3.6},
        {'name': 'synthetic_7_2', 'delivered_as': 'Synthetic_7_2kW', 'power_kw': 7.2},
        {'name': 'flex_3_6', 'delivered_as': 'Flex_3_6kW', 'power_kw': 3.6},
        {'name': 'flex_7_2', 'delivered_as': 'Flex_7_2kW', 'power_kw': 7.2},
    ]) }}
{% endmacro %}
