{#- A text on the site's clock as TIMESTAMP: in the feed's format or ISO 8601, else, where it carries an offset, moved to
    the site's clock; NULL where it is none of these. -#}
{% macro to_local_time(text, format, time_zone) -%}
    coalesce(
        try_strptime({{ text }}, ['{{ time_formats(format) | join("', '") }}']),
        {{ to_local('(' ~ to_instant(text, format) ~ ')', time_zone) }}
    )
{%- endmacro %}


{#- The forms in which a time is read: the feed's own, also with seconds, then ISO 8601. -#}
{% macro time_formats(format) %}
    {{ return([
        format,
        format ~ ':%S',
        '%Y-%m-%d %H:%M:%S',
        '%Y-%m-%dT%H:%M:%S',
        '%Y-%m-%d %H:%M',
        '%Y-%m-%dT%H:%M',
        '%Y-%m-%d %H:%M:%S.%f',
        '%Y-%m-%dT%H:%M:%S.%f',
    ]) }}
{% endmacro %}
