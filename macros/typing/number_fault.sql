{#- Why the text of a number could not be typed: not_finite (NaN, Inf, beyond the doubles), out_of_range (a number, but
    far beyond its column), not_a_number; NULL where it is fine or missing. typed is the result of to_decimal. column names
    the feed's column where the text is only a part of it. -#}
{% macro number_fault(text, typed, decimal='.', column=none) -%}
    {%- set as_double = "try_cast(replace(" ~ text ~ ", '" ~ decimal ~ "', '.') as double)" -%}
    case
        when {{ typed }} is not null or {{ is_missing(text) }} then null
        when {{ is_foreign_number(text, decimal) }} then 'not_a_number'
        when {{ as_double }} is null then 'not_a_number'
        when isfinite({{ as_double }}) then 'out_of_range'
        else 'not_finite'
    end || ':{{ column or text | replace('"', '') }}'
{%- endmacro %}
