{#- The columns in the files of a feed that its contract does not have, as a text; NULL where there are none. -#}
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
    {%- if extra -%}{{ quoted(extra | join(', ')) }}{%- else -%}cast(null as varchar){%- endif -%}
{%- endmacro %}
