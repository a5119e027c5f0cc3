{#- The columns in the files of a feed that its contract does not have, as a text; NULL where there are none. -#}
{% macro feed_extra_columns(name) -%}
    {%- set extra = [] -%}
    {%- if execute and name in var('feeds') -%}
        {%- set contract_names = feed_contract(name).columns | map(attribute='name') | list -%}
        {%- for part in feed_layout(name) -%}
            {%- for column in part.header if column not in contract_names and column not in extra -%}
                {%- do extra.append(column) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if extra -%}{{ dbt.string_literal(dbt.escape_single_quotes(extra | join(', '))) }}{%- else -%}cast(null as varchar){%- endif -%}
{%- endmacro %}
