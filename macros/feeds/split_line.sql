{#- The fields of a line of text as a list; NULL where its quotes don't close or stand inside a bare field.
    Most lines have no quote and are split at once. The others are matched field by field; what the pattern had to
    skip shows in the length. -#}
{% macro split_line(line, delimiter) -%}
    {%- set pattern = '("(?:[^"]|"")*"|[^"' ~ delimiter ~ ']*)[' ~ delimiter ~ ']' -%}
    {%- set matched = "regexp_extract_all(" ~ line ~ " || '" ~ delimiter ~ "', '" ~ pattern ~ "', 1)" -%}
    case
        when not contains({{ line }}, '"') then string_split({{ line }}, '{{ delimiter }}')
        when length(array_to_string({{ matched }}, '{{ delimiter }}')) = length({{ line }})
            then list_transform(
                {{ matched }},
                lambda field: if(starts_with(field, '"'), replace(field[2:-2], '""', '"'), field)
            )
    end
{%- endmacro %}
