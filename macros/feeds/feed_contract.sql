{#- The contract of a feed, read from the yml of its seed: there is no second place that lists the columns. Returns
    {columns: [{name, kind}], delimiter, decimal, time_format, time_zone}. The time zone is that of times without an
    offset: a var, or the zone itself (UTC). -#}
{% macro feed_contract(name) %}
    {%- set seed = graph.nodes.get('seed.' ~ project_name ~ '.raw_' ~ name) -%}
    {%- set format = seed.config.meta.feed -%}
    {%- set columns = [] -%}
    {%- for column in seed.columns.values() -%}
        {%- do columns.append({'name': column.name, 'kind': column.config.meta.kind}) -%}
    {%- endfor -%}
    {{ return({
        'columns': columns,
        'delimiter': format.delimiter,
        'decimal': format.decimal,
        'time_format': format.time_format,
        'time_zone': var(format.time_zone, format.time_zone),
    }) }}
{% endmacro %}
