{#- Why a figure of a cell may not be published, by the first rule that it breaks; NULL where it may. `largest` are lists of the
    two largest parts of the total: those of vehicles, those of clients. -#}
{% macro unsafe_reason(vehicles, clients, total, largest) -%}
    case
        when {{ vehicles }} < {{ var('extract_min_vehicles') }} then 'too_few_vehicles'
        when {{ clients }} < {{ var('extract_min_clients') }} then 'too_few_clients'
        {%- for parts in largest %}
        when not {{ keeps_p_percent(total, parts) }} then 'p_percent'
        {%- endfor %}
        {%- for parts in largest %}
        when {{ value_at(parts, 1) }} > {{ var('extract_dominance_share') }} * {{ total }} then 'dominance'
        {%- endfor %}
    end
{%- endmacro %}


{#- The p % rule: who knows the second largest part of a total, their own, can't tell the largest to within p %. NULL without parts. -#}
{% macro keeps_p_percent(total, largest) -%}
    (
        {{ total }} - {{ value_at(largest, 1) }} - coalesce({{ value_at(largest, 2) }}, 0)
        >= {{ var('extract_p_percent') }} * {{ value_at(largest, 1) }}
    )
{%- endmacro %}
