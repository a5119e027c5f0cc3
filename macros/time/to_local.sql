{#- A UTC instant on the clock of a time zone. -#}
{% macro to_local(instant, time_zone) -%}
    {{ to_local_by(instant, "'" ~ time_zone ~ "'") }}
{%- endmacro %}
