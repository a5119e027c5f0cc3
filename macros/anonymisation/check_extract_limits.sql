{#- Runs before anything is built: a limit of the extracts that isn't a number, or can't be one, stops the build. -#}
{% macro check_extract_limits() %}
    {%- for name in ['min_vehicles', 'min_clients', 'records_per_vehicle'] -%}
        {%- set value = var('extract_' ~ name) -%}
        {%- if value is not integer or value < 1 -%}
            {{ refuse_limit(name, value, 'a whole number from 1 on') }}
        {%- endif -%}
    {%- endfor -%}
    {%- set steps = ['energy_step_kwh', 'power_step_kw', 'duration_step_minutes', 'soc_step_pct', 'distance_step_km', 'consumption_step_kwh'] -%}
    {%- for name in steps -%}
        {%- set value = var('extract_' ~ name) -%}
        {%- if value is not number or value is boolean or value <= 0 -%}
            {{ refuse_limit(name, value, 'a number above 0') }}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in ['share_step_pct', 'soc_class_pct'] -%}
        {%- set value = var('extract_' ~ name) -%}
        {%- if value is not number or value is boolean or not 0 < value < 50 -%}
            {{ refuse_limit(name, value, 'a number of points above 0 and below 50') }}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in ['p_percent', 'dominance_share'] -%}
        {%- set value = var('extract_' ~ name) -%}
        {%- if value is not number or value is boolean or not 0 <= value <= 1 -%}
            {{ refuse_limit(name, value, 'a number from 0 to 1') }}
        {%- endif -%}
    {%- endfor -%}
    {%- set bounds = var('extract_power_class_kw') -%}
    {%- if bounds is string or bounds is not sequence or not bounds or bounds | reject('number') | list or bounds | unique | sort | list != bounds | list -%}
        {{ refuse_limit('power_class_kw', bounds, 'a list of ascending numbers') }}
    {%- endif -%}
{% endmacro %}


{#- Stop with one line that says which var is wrong, and how it should be. -#}
{% macro refuse_limit(name, value, wanted) %}
    {{ exceptions.raise_compiler_error('the var extract_' ~ name ~ ' must be ' ~ wanted ~ ', not ' ~ tojson(value)) }}
{% endmacro %}
