{#- The id of a vehicle or client as it is compared and pseudonymised: without blanks, tabs or no-break spaces around it, in
    capitals and in one form of Unicode, so that whoever is typed in two ways is still counted as one. -#}
{% macro normalised_id(id) -%}
    nfc_normalize(upper(trim({{ id }}, ' ' || chr(9) || chr(160))))
{%- endmacro %}
