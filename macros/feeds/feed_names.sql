{#- Every feed the warehouse knows, as <source>__<entity>. A new feed is a line here, a seed raw_<feed> with its
    contract in the seed's yml, and the models base_<feed> and stg_<feed>. -#}
{% macro feed_names() %}
    {{ return([
        'experiment__sessions',
        'experiment__users',
        'market__prices',
        'residential__charging_reports',
        'residential__hourly_loads',
    ]) }}
{% endmacro %}
