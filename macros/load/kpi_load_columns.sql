{#- The eight columns of the published table, from the aliases loads and users. -#}
{% macro kpi_load_columns() -%}
    loads.load_started_local_at as date_from,
    {{ to_local("(loads.load_started_at + interval 1 hour)", var('residential_timezone')) }} as date_to,
    users.user_id,
    loads.session_id,
    loads.synthetic_3_6_kwh as synthetic_3_6,
    loads.synthetic_7_2_kwh as synthetic_7_2,
    loads.flex_3_6_kwh as flex_3_6,
    loads.flex_7_2_kwh as flex_7_2
{%- endmacro %}
