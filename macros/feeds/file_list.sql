{#- Names of files as an SQL list for DuckDB's readers, which take names for globs: a bracket or a star of a name stands for
    itself. -#}
{% macro file_list(file_names) -%}
    [
        {%- for file_name in file_names -%}
        {{ quoted(file_name | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]')) }}{% if not loop.last %}, {% endif %}
        {%- endfor -%}
    ]
{%- endmacro %}
