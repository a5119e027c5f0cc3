{#- Texts as one message: their UTF-8 bytes with 0x1F (unit separator) between, so that ('a', 'bc') and ('ab', 'c') differ. -#}
{% macro hmac_message(parts) -%}
    encode({{ parts | join(' || chr(31) || ') }})
{%- endmacro %}
