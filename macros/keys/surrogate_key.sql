{#- The key of an entity: a hash of its source and its native id, so that ids of two sources never collide.
    0x1F (unit separator) stands between the parts: ('a', 'bc') and ('ab', 'c') are different keys. NULL where a part is. -#}
{% macro surrogate_key(parts) -%}
    md5(
        {%- for part in parts -%}
        {{ part }}{% if not loop.last %} || chr(31) || {% endif %}
        {%- endfor -%}
    )
{%- endmacro %}
