{#- The UTC instant of a text that carries its offset; NULL for one without. Such a text is never cast to TIMESTAMP:
    DuckDB would drop the offset without a word. A text of 16 characters has no room for an offset behind its minutes
    and is not tried. -#}
{% macro to_instant(text, format) -%}
    case
        when length({{ text }}) > 16
            then timezone('UTC', try_strptime(
                regexp_replace(replace({{ text }}, 'Z', '+00'), ' ([+-])', '\1'), {{ time_formats(format, suffix='%z') }}
            ))
    end
{%- endmacro %}
