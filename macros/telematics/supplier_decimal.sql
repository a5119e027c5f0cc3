{#- A number of a supplier in the unit of the warehouse (kilometres, kilowatts and kilowatt-hours, percent) as DECIMAL; NULL where
    it is missing, no number of that form, beyond its column, or of a supplier that telematics_suppliers doesn't have. measure is
    distance, power (also of energy) or soc. What is converted goes through DOUBLE, which has more digits than any log: wide decimals
    cost ten times as much. -#}
{% macro supplier_decimal(text, supplier, measure, precision, scale) -%}
    {%- set names_by_factor = {} -%}
    {%- for name, units in var('telematics_suppliers').items() -%}
        {%- do names_by_factor.setdefault(supplier_factor(name, units, measure), []).append(name) -%}
    {%- endfor -%}
    case
        {%- for factor, names in names_by_factor.items() %}
        when {{ is_of_supplier(supplier, names) }}
            then {% if factor == '1' -%}
                {{ to_decimal(text, precision, scale) }}
            {%- else -%}
                case
                    when not {{ is_missing_text(text) }} and not {{ is_foreign_number(text, '.') }}
                        then try_cast(try_cast({{ text }} as double) * {{ factor }} as decimal({{ precision }}, {{ scale }}))
                end
            {%- endif %}
        {%- endfor %}
    end
{%- endmacro %}


{#- What a supplier's unit of a measure is worth in that of the warehouse, as text. -#}
{% macro supplier_factor(name, units, measure) %}
    {%- set known = {
        'distance': {'setting': 'distance_unit', 'factors': {'km': '1', 'mi': '1.609344'}},
        'power': {'setting': 'power_unit', 'factors': {'kW': '1', 'W': '0.001'}},
        'soc': {'setting': 'soc_scale', 'factors': {'100': '1', '1': '100'}},
    }[measure] -%}
    {%- set unit = units[known.setting] | string -%}
    {%- if unit not in known.factors -%}
        {{ exceptions.raise_compiler_error(
            'the var telematics_suppliers has ' ~ known.setting ~ ' ' ~ unit ~ ' for ' ~ name ~ ', not one of '
            ~ known.factors | join(', ')
        ) }}
    {%- endif -%}
    {{ return(known.factors[unit]) }}
{% endmacro %}
