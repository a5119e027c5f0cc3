{#- Stop with one line that says which feed is refused, why, and in which file and column. -#}
{% macro refuse_feed(name, reason, detail) %}
    {{ exceptions.raise_compiler_error('feed ' ~ name ~ ' refused (' ~ reason ~ '): ' ~ detail) }}
{% endmacro %}
