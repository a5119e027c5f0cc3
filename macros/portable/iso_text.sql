{#- A UTC instant as text in ISO 8601, to the second. -#}
{% macro iso_text(instant) -%}
    {{ return(adapter.dispatch('iso_text')(instant)) }}
{%- endmacro %}

{% macro default__iso_text(instant) -%}
    strftime({{ instant }}, '%Y-%m-%dT%H:%M:%SZ')
{%- endmacro %}

{% macro spark__iso_text(instant) -%}
    date_format({{ instant }}, "yyyy-MM-dd'T'HH:mm:ss'Z'")
{%- endmacro %}
