{#- Whether a number can't be that of a port: 1, 2, ...; in messages also 0, the whole charger (lowest). NULL where there is
    no number. -#}
{% macro is_no_evse_id(number, lowest=1) -%}
    ({{ number }} not between {{ lowest }} and 2147483647 or {{ number }} <> trunc({{ number }}))
{%- endmacro %}
