{#- An ISO 8601 text without an offset as the time that it shows, to the microsecond; NULL where it has an offset, is missing, a
    date alone, 24:00 or a day that no month has. The form that most logs have is told by its length and cast at once. -#}
{% macro to_iso_local_time(text) -%}
    {%- set bare = "trim(" ~ text ~ ")" -%}
    case
        when {{ text }} like '____-__-_____:__:__' and not contains({{ text }}, 'T24') and not contains({{ text }}, ' 24')
            then try_cast({{ text }} as timestamp)
        when regexp_full_match({{ bare }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?')
            then try_cast(regexp_replace({{ bare }}, '^(.{16})$', '\1:00') as timestamp)
    end
{%- endmacro %}
