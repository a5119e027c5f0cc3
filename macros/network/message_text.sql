{#- A text out of a message that parse_message has read: the first of the fields that is there, each named by its path; NULL
    where none has a value. -#}
{% macro message_text(paths) -%}
    {%- set fields = [] -%}
    {%- for path in paths -%}
        {%- do fields.append("message['" ~ path.split('.') | join("']['") ~ "']") -%}
    {%- endfor -%}
    {{ clean_text(fields[0] if fields | length == 1 else 'coalesce(' ~ fields | join(', ') ~ ')') }}
{%- endmacro %}
