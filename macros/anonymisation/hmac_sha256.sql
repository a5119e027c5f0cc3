{#- HMAC-SHA256 of a message (RFC 2104) as 64 hex digits. The pads of the key come from `hmac_pad`: they are computed once per key
    and not once per message. -#}
{% macro hmac_sha256(inner_pad, outer_pad, message) -%}
    sha256({{ outer_pad }} || unhex(sha256({{ inner_pad }} || {{ message }})))
{%- endmacro %}
