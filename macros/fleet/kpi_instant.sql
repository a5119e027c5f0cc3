{#- An argument of a function as a UTC instant, whether it was given as text or as a timestamp; what is neither is the error
    that a caller sees. A date alone names no instant. -#}
{% macro kpi_instant(argument) -%}
    case
        when {{ to_iso_instant('cast(' ~ argument ~ ' as varchar)') }} is null
            then error('{{ argument | replace('"', '') }} is not a time: ' || coalesce(cast({{ argument }} as varchar), 'NULL'))
        else {{ to_iso_instant('cast(' ~ argument ~ ' as varchar)') }}
    end
{%- endmacro %}
