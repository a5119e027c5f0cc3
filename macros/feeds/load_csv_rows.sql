{#- Seeds are synthetic. As soon as the var feeds names a feed, their tables stay empty: real and synthetic rows
    never meet, and a feed that is not named has no rows. Otherwise as dbt-duckdb does it, one COPY per seed. -#}
{% macro load_csv_rows(model, agate_table) %}
    {%- if named_feeds() and 'raw' in model.fqn -%}
        {{ return('') }}
    {%- endif -%}
    {{ return(adapter.dispatch('load_csv_rows', 'dbt')(model, agate_table)) }}
{% endmacro %}
