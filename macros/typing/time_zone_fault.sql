{#- Why the text of a time zone is refused: unknown_time_zone where DuckDB knows no zone of that name; NULL where it is fine or
    missing. Asked by a cast, because the function that converts to a zone fails for an unknown one, and a list of all
    zones would have to be joined. typed is the result of clean_text. -#}
{% macro time_zone_fault(text, typed) -%}
    case
        when {{ typed }} is not null and try_cast('2000-01-01 12:00:00 ' || {{ typed }} as timestamptz) is null
            then 'unknown_time_zone:{{ text }}'
    end
{%- endmacro %}
