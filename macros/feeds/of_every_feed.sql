{#- The rows of a query for each feed, one after the other; query is a macro that takes the name of a feed. -#}
{% macro of_every_feed(query) -%}
    {%- for name in feed_names() -%}
    {{ query(name) }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}
{%- endmacro %}
