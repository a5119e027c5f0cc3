{#- Ids joined to one by slashes; a slash within one is written %2F, so that two paths never read the same. -#}
{% macro path_of(ids) -%}
    {%- for id in ids -%}
    replace({{ id }}, '/', '%2F'){% if not loop.last %} || '/' || {% endif %}
    {%- endfor -%}
{%- endmacro %}
