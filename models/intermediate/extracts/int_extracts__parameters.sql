{% set names = [
    'extract_epoch',
    'extract_min_vehicles',
    'extract_min_clients',
    'extract_p_percent',
    'extract_dominance_share',
    'extract_energy_step_kwh',
    'extract_power_step_kw',
    'extract_duration_step_minutes',
    'extract_soc_step_pct',
    'extract_distance_step_km',
    'extract_consumption_step_kwh',
    'extract_share_step_pct',
    'extract_soc_class_pct',
    'extract_power_class_kw',
    'extract_records_per_vehicle',
] %}

{% for name in names -%}
select
    '{{ name }}' as parameter,
    {{ dbt.string_literal(tojson(var(name))) }} as value
{%- if not loop.last %}
union all
{% endif -%}
{% endfor %}
