{% set values = ['soc_lost_per_hour_driven_pct', 'soc_lost_per_day_standing_pct'] %}

with

judged as (

    {{ cell_safety(ref('int_extracts__published_batteries'), ['month', 'battery_class'], ['energy_kwh'], values) }}

),

final as (

    select
        -- keys
        month,
        battery_class,

        -- attributes
        hidden_reason,

        -- measures
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients,

        -- flags
        {%- for value in values %}
        is_safe_{{ value }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from judged

)

select * from final
