{#- The key of a residential charge point: the garage, whether it is shared, and its shared name or the user who owns it.
    NULL where the garage or both names are missing. -#}
{% macro residential_station_key() -%}
    {{ surrogate_key([
        "'residential'",
        'garage_id',
        "case when shared_id is null then 'private' else 'shared' end",
        'coalesce(shared_id, user_id)',
    ]) }}
{%- endmacro %}
