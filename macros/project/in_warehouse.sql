{#- A model by schema and name, without the name of the database, which is the name of the file: what views and functions
    read, so that they work in a copy of the warehouse under another name. -#}
{% macro in_warehouse(model) -%}
    {{ ref(model).include(database=false) }}
{%- endmacro %}
