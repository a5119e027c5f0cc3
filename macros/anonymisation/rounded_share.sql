{#- A share as a percentage in whole steps, from one step to 100 less a step: 0 or 100 % would say something of everybody. So does a share
    that only one or two vehicles have: where `has_some` is not true it is told like none, and where `has_rest` is not like all
    (see `cell_safety`). NULL stays. -#}
{% macro rounded_share(share, has_some, has_rest) -%}
    {%- set step = var('extract_share_step_pct') -%}
    case
        when {{ share }} is null then null
        when not {{ has_some }} then {{ step }}
        when not {{ has_rest }} then {{ 100 - step }}
        else least(greatest({{ rounded_to('100 * (' ~ share ~ ')', step) }}, {{ step }}), {{ 100 - step }})
    end
{%- endmacro %}
