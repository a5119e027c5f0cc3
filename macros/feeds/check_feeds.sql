{#- Runs before anything is built: names in the var feeds that no feed has, missing or empty files and headers that
    break their contract stop the build while the warehouse is still as it was. -#}
{% macro check_feeds() %}
    {%- if execute -%}
        {#- A time zone that does not exist is DuckDB's error here and not in the middle of the build. -#}
        {%- set time_zones = var('telematics_suppliers').values() | map(attribute='time_zone') | list -%}
        {%- for source in ['residential', 'experiment', 'network', 'simulator', 'telematics'] -%}
            {%- do time_zones.append(var(source ~ '_timezone')) -%}
        {%- endfor -%}
        {%- for time_zone in time_zones | unique -%}
            {%- do run_query('select ' ~ to_utc("timestamp '2000-01-01'", time_zone)) -%}
        {%- endfor -%}
        {%- for name in named_feeds() -%}
            {%- if name not in feed_names() -%}
                {{ refuse_feed(name, 'unknown_feed', 'the feeds are ' ~ feed_names() | join(', ')) }}
            {%- endif -%}
            {%- set extra = feed_extra_columns(name) -%}
            {%- if extra -%}
                {%- do exceptions.warn('feed ' ~ name ~ ': columns that the contract does not have are not read: ' ~ extra | join(', ')) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
