{#- A bound of the interval of a rate by Wilson (1927): the lowest or highest rate from which the found one is within
    `wilson_z` standard deviations. It stays within 0 and 1, and has a width where every trial succeeded. NULL without
    trials. -#}
{% macro wilson_bound(successes, trials, bound) -%}
    {%- set z = var('wilson_z') -%}
    {%- set sign = {'low': '-', 'high': '+'}[bound] -%}
    case
        when {{ trials }} > 0
            then least(1.0, greatest(0.0, (
                {{ successes }} + {{ z * z / 2 }}
                {{ sign }} {{ z }} * sqrt(
                    cast({{ successes }} as double) * ({{ trials }} - {{ successes }}) / {{ trials }} + {{ z * z / 4 }}
                )
            ) / ({{ trials }} + {{ z * z }})))
    end
{%- endmacro %}
