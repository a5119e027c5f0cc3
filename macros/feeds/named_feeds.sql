{#- The feeds that the var feeds names, as a mapping of feed to file or glob; empty where the build runs on the seeds. -#}
{% macro named_feeds() %}
    {%- set feeds = var('feeds') or {} -%}
    {%- if feeds is not mapping -%}
        {{ exceptions.raise_compiler_error('the var feeds must be a mapping of feed to file or glob, not ' ~ feeds) }}
    {%- endif -%}
    {{ return(feeds) }}
{% endmacro %}
