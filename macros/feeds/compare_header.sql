{#- Every column of the contract must stand in the header once, by its exact name; the order is free and further
    columns are allowed. -#}
{% macro compare_header(name, contract, file_name, header) %}
    {%- for column in contract.columns -%}
        {%- set times = header.count(column.name) -%}
        {%- if times == 0 -%}
            {{ refuse_feed(name, 'header_mismatch',
                'file ' ~ file_name ~ ' has no column ' ~ column.name ~ '; its header is ' ~ (header | join(contract.delimiter))[:300]) }}
        {%- elif times > 1 -%}
            {{ refuse_feed(name, 'header_mismatch', 'file ' ~ file_name ~ ' has the column ' ~ column.name ~ ' twice') }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
