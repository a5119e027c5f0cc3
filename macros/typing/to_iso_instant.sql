{#- An ISO 8601 text as the UTC instant that it names, to the microsecond: without an offset it is UTC, whatever the time zone
    of the session; NULL where it is missing, a date alone, 24:00 or a day that no month has.
    The two forms that most messages have are told by their length and cast at once. A cast of other texts would also take
    infinity, epoch and offsets of days, so their form is looked at first. -#}
{% macro to_iso_instant(text) -%}
    {%- set time = '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?' -%}
    {%- set offset = ' ?[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?' -%}
    {%- set bare = "upper(trim(" ~ text ~ "))" -%}
    {%- set with_seconds = "regexp_replace(" ~ bare ~ ", '^(.{16})($|[Z +-])', '\\1:00\\2')" -%}
    case
        when
            ({{ text }} like '____-__-__T__:__:__Z' or {{ text }} like '____-__-__T__:__:__.___Z')
            and not contains({{ text }}, 'T24')
            then try_cast({{ text }} as timestamp)
        when regexp_full_match({{ bare }}, '{{ time }} ?Z?')
            then try_cast(replace({{ with_seconds }}, ' Z', 'Z') as timestamp)
        when regexp_full_match({{ bare }}, '{{ time }}{{ offset }}')
            then timezone('UTC', try_cast(regexp_replace({{ with_seconds }}, ' ([+-])', '\1') as timestamptz))
    end
{%- endmacro %}
