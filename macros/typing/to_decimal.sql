{#- A number of a feed as DECIMAL(precision, scale); NULL where it is missing or no number of that form.
    Numbers with an exponent go through DOUBLE, because DuckDB 1.5 makes 0.000001 of 9E-16. The texts for "no
    value" are sorted out before the cast only because a cast that fails is slow. -#}
{% macro to_decimal(text, precision, scale, decimal='.') -%}
    {%- set with_point = text if decimal == '.' else "replace(" ~ text ~ ", '" ~ decimal ~ "', '.')" -%}
    {%- set type = 'decimal(' ~ precision ~ ', ' ~ scale ~ ')' -%}
    case
        when {{ is_missing_text(text) }} then null
        when {{ is_foreign_number(text, decimal) }} then null
        when contains({{ text }}, 'E') or contains({{ text }}, 'e')
            then try_cast(try_cast({{ with_point }} as double) as {{ type }})
        else try_cast({{ with_point }} as {{ type }})
    end
{%- endmacro %}
