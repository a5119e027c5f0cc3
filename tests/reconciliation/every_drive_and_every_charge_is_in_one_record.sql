with

delivered as (

    select
        vehicle_id,
        'drive' as record_kind,
        count(*) as log_rows,
        sum(energy_kwh) as energy_kwh,
        max(energy_kwh) as max_kwh,
        sum(odometer_end_km - odometer_start_km) as distance_km,
        cast(null as decimal(18, 6)) as max_power_kw,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at
    from {{ ref('stg_telematics__drives') }}
    group by vehicle_id

    union all

    select
        vehicle_id,
        'charge' as record_kind,
        count(*) as log_rows,
        sum(energy_kwh) as energy_kwh,
        null as max_kwh,
        null as distance_km,
        max(max_power_kw) as max_power_kw,
        min(started_at) as first_started_at,
        null as last_started_at
    from {{ ref('stg_telematics__charges') }}
    group by vehicle_id

),

rebuilt as (

    select
        vehicle_id,
        record_kind,
        sum(fragments) as log_rows,
        sum(energy_kwh) as energy_kwh,
        max(case when record_kind = 'drive' then energy_kwh end) as max_kwh,
        sum(case when record_kind = 'drive' then odometer_end_km - odometer_start_km end) as distance_km,
        max(max_power_kw) as max_power_kw,
        min(started_at) as first_started_at,
        max(case when record_kind = 'drive' then started_at end) as last_started_at
    from {{ ref('int_telematics__records') }}
    group by vehicle_id, record_kind

)

select
    delivered.*,
    rebuilt.*
from delivered
full outer join rebuilt
    on
        delivered.vehicle_id = rebuilt.vehicle_id
        and delivered.record_kind = rebuilt.record_kind
where
    delivered.log_rows is distinct from rebuilt.log_rows
    {%- for column in ['energy_kwh', 'max_kwh', 'distance_km', 'max_power_kw', 'first_started_at', 'last_started_at'] %}
    or delivered.{{ column }} is distinct from rebuilt.{{ column }}
    {%- endfor %}
