{#- A 64-bit hash of columns that finds rows which may be equal. Two rows can share one by chance: where rows
    are judged by it, they are compared themselves first; data_profile only counts with it. -#}
{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash')(columns)) }}
{%- endmacro %}

{% macro default__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__row_hash(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}
