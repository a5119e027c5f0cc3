{#- The load profiles that are charging as it would happen; the others are room for it, and no energy. -#}
{% macro charging_profiles() %}
    {%- set profiles = [] -%}
    {%- for profile in load_profiles() if profile.name.startswith('synthetic') -%}
        {%- do profiles.append(profile) -%}
    {%- endfor -%}
    {{ return(profiles) }}
{% endmacro %}
