{% set losses = ['soc_lost_per_hour_driven_pct', 'soc_lost_per_day_standing_pct'] %}

with

contributions as (

    select * from {{ ref('int_extracts__published_batteries') }}

),

cells as (

    select * from {{ ref('int_extracts__battery_cells') }}

),

measured as (

    select
        month,
        battery_class,
        median(energy_kwh) as energy_kwh,
        {%- for value in losses %}
        median({{ value }}) as {{ value }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from contributions
    group by month, battery_class

),

enough as (

    select
        measured.month,
        measured.battery_class,
        measured.energy_kwh,
        {%- for value in losses %}
        case when cells.is_safe_{{ value }} then measured.{{ value }} end as {{ value }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from measured
    inner join cells
        on
            measured.month = cells.month
            and measured.battery_class = cells.battery_class

),

final as (

    select
        -- keys
        month,
        battery_class,

        -- measures
        {{ rounded_to('energy_kwh', var('extract_energy_step_kwh')) }} as median_energy_kwh,
        cast({{ rounded_to('soc_lost_per_hour_driven_pct', var('extract_soc_step_pct')) }} as integer)
            as soc_lost_per_hour_driven_pct,
        {{ class_by_bounds('soc_lost_per_day_standing_pct', [1, 2]) }} as soc_lost_per_day_standing
    from enough

)

select * from final
