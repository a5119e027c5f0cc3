{#- Whether a text is the id of a transaction. Chargers and back ends write 0 and -1 where there is none. -#}
{% macro is_transaction_id(text) -%}
    {{ text }} not in ('0', '-1')
{%- endmacro %}
