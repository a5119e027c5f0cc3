{#- The UTC instant of a text that carries its offset; NULL for one without. Such a text is never cast to TIMESTAMP:
    DuckDB would drop the offset without a word. Formats are tried one by one, because DuckDB reads 31 February as 2 March
    where it is given a list of formats with an offset. A text of 16 characters has no room for an offset behind its
    minutes and is not tried. -#}
{% macro to_instant(text, format) -%}
    {%- set compact = "regexp_replace(replace(" ~ text ~ ", 'Z', '+00'), ' ([+-])', '\\1')" -%}
    case
        when length({{ text }}) > 16
            then timezone('UTC', coalesce(
                {%- for known in time_formats(format) %}
                try_strptime({{ compact }}, '{{ known }}%z'){% if not loop.last %},{% endif %}
                {%- endfor %}
            ))
    end
{%- endmacro %}
