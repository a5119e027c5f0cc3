{#- The fields of a line of text as a list; NULL where its quotes don't close or stand inside a bare field.
    Most lines have no quote and are split at once. The others are matched field by field; what the pattern had to
    skip shows in the length. The matches are handed on through a list of one, so that they are sought only once. -#}
{% macro split_line(line, delimiter) -%}
    {%- set pattern = '("(?:[^"]|"")*"|[^"' ~ delimiter ~ ']*)[' ~ delimiter ~ ']' -%}
    case
        when not contains({{ line }}, '"') then string_split({{ line }}, '{{ delimiter }}')
        else list_transform(
            [regexp_extract_all({{ line }} || '{{ delimiter }}', '{{ pattern }}', 1)],
            lambda matched: case
                when length(array_to_string(matched, '{{ delimiter }}')) = length({{ line }})
                    then list_transform(
                        matched,
                        lambda field: if(starts_with(field, '"'), replace(field[2:-2], '""', '"'), field)
                    )
            end
        )[1]
    end
{%- endmacro %}
