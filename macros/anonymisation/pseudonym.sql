{#- The pseudonym of an id: the first 32 hex digits of HMAC-SHA256(key, domain, id), with the pads from `with_pseudonym_keys`. -#}
{% macro pseudonym(domain, id) -%}
    left({{ hmac_sha256('pseudonym_keys.inner_pad', 'pseudonym_keys.outer_pad', hmac_message(["'" ~ domain ~ "'", id])) }}, 32)
{%- endmacro %}
