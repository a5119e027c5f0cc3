{#- The names of the columns in the files of a feed that its contract does not have, each once: a list. -#}
{% macro feed_extra_columns(name) -%}
    {%- set extra = [] -%}
    {%- if execute and name in named_feeds() -%}
        {%- set contract_names = feed_contract(name).columns | map(attribute='name') | list -%}
        {%- for part in feed_layout(name) -%}
            {%- for column in part.header if column and column not in contract_names and column not in extra -%}
                {%- do extra.append(column) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(extra) }}
{%- endmacro %}
