{#- Says in the build where the key of the pseudonyms comes from. -#}
{% macro say_key_source() -%}
    {%- if execute -%}
        {%- set source = run_query('select ' ~ pseudonym_variable('pseudonym_key_source')).columns[0].values()[0] -%}
        {%- if source == 'environment' -%}
            {%- do log('Pseudonyms: made with the key in EV_PSEUDONYM_KEY.', info=true) -%}
        {%- else -%}
            {%- do log('Pseudonyms: EV_PSEUDONYM_KEY is not set. The key is drawn for this build and then lost (ephemeral).', info=true) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
