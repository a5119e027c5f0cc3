{#- A key as HMAC mixes it into a message (RFC 2104): filled up with zeros to the 64 bytes of a block of SHA-256, a longer key
    hashed first, and every byte xor-ed with that of the pad, '36' for the inner and '5c' for the outer one. -#}
{% macro hmac_pad(key, pad) -%}
    cast(
        xor(
            cast(
                case when octet_length({{ key }}) > 64 then unhex(sha256({{ key }})) else {{ key }} end
                || repeat(
                    unhex('00'),
                    64 - case when octet_length({{ key }}) > 64 then 32 else octet_length({{ key }}) end
                ) as bit
            ),
            cast(repeat(unhex('{{ pad }}'), 64) as bit)
        ) as blob
    )
{%- endmacro %}
