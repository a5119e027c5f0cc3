{#- Why a port is down, as a text: the causes in alphabetical order with + between them, NULL where there is none. -#}
{% macro down_causes(is_faulted, is_offline, is_unavailable) -%}
    nullif(concat_ws(
        '+',
        case when {{ is_faulted }} then 'faulted' end,
        case when {{ is_offline }} then 'offline' end,
        case when {{ is_unavailable }} then 'unavailable' end
    ), '')
{%- endmacro %}
