select
    cast({{ var('min_sessions_for_rate') }} as integer) as min_sessions_for_rate,
    cast({{ var('reliability_false_discovery_rate') }} as double) as false_discovery_rate,
    cast({{ var('reliability_rate_margin') }} as double) as success_rate_margin,
    cast({{ var('uptime_required_pct') }} as double) as uptime_required_pct
