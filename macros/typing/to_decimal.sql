{#- A number of a feed as DECIMAL(precision, scale); NULL where it is missing or no number of that form. DuckDB itself
    would take 1_000 as a number and, with the comma replaced, 12.5 under a contract with decimal commas: neither is
    one here. The texts for "no value" are sorted out before the cast only because a cast that fails is slow. -#}
{% macro to_decimal(text, precision, scale, decimal='.') -%}
    case
        when {{ text }} in {{ missing_texts() }} then null
        when not contains({{ text }}, '_'){% if decimal != '.' %} and not contains({{ text }}, '.'){% endif %}
            then try_cast(
                {%- if decimal == '.' %} {{ text }} {%- else %} replace({{ text }}, '{{ decimal }}', '.') {%- endif %} as decimal({{ precision }}, {{ scale }})
            )
    end
{%- endmacro %}
