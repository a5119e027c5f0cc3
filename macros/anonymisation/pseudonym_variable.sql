{#- What the plugin ev_charging.pseudonym_key keeps in the session: the master key never stands in SQL. DuckDB gives NULL for a variable
    that isn't set, and with NULL every pseudonym would be: that is an error here. -#}
{% macro pseudonym_variable(name) -%}
    coalesce(getvariable('{{ name }}'), error('The session has no {{ name }}: build with the profile of the project.'))
{%- endmacro %}
