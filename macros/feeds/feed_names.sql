{#- Every feed the warehouse knows, as <source>__<entity>. A new feed is a line here, a seed raw_<feed> with its
    contract in the seed's yml, and the models base_<feed> and stg_<feed>. -#}
{% macro feed_names() %}
    {{ return([
        'experiment__sessions',
        'experiment__users',
        'market__prices',
        'network__charger_messages',
        'network__charging_sessions',
        'network__injected_damage',
        'network__outage_exclusions',
        'network__ports',
        'network__stations',
        'residential__charging_reports',
        'residential__hourly_loads',
        'simulator__dispatches',
        'simulator__injected_damage',
        'simulator__plug_events',
        'simulator__session_truth',
        'simulator__telemetry',
        'simulator__trips',
        'simulator__users',
        'telematics__charges',
        'telematics__drives',
        'telematics__injected_damage',
        'telematics__vehicles',
    ]) }}
{% endmacro %}
