{#- DuckDB reads the files line by line: one text column, no quoting, so that a broken line costs itself and not
    its neighbours. The delimiter is a sequence of control characters that no text contains. Lines that are not
    UTF-8 or longer than 2 MB are set aside: in the temporary table rejects where it is named, else skipped. -#}
{% macro read_lines(file_names, skip=0, rejects=none) -%}
    read_csv(
        {{ file_list(file_names) }},
        columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, skip = {{ skip }},
        delim = e'\x01\x02\x03', quote = '', escape = '', strict_mode = false,
        {% if rejects -%}
        store_rejects = true, rejects_table = '{{ rejects }}', rejects_scan = '{{ rejects }}_scans', rejects_limit = 0
        {%- else -%}
        ignore_errors = true
        {%- endif %}
    )
{%- endmacro %}
