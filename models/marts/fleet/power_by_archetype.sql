{% set percents = [10, 50, 90] %}
{% set powers = ['net', 'import'] %}

with

half_hours as (

    {{ half_hours_by_resolution() }}

),

-- Energy of half an hour as its mean power.
drawn as (

    select
        *,
        2 * import_kwh as import_kw,
        2 * (import_kwh - export_kwh) as net_kw
    from half_hours

),

measured as (

    select
        run_id,
        archetype,
        resolution,
        half_hour_starts_at,
        half_hour_of_day,
        min(half_hour_local_at) as half_hour_local_at,
        {%- for part, is_part in fleet_parts().items() %}
        count(case when {{ is_part }} then net_kw end) as {{ part }}_readings,
        {%- for power in powers %}
        sum(case when {{ is_part }} then {{ power }}_kw end) as {{ part }}_{{ power }}_kw,
        {{ percentiles('cast(case when ' ~ is_part ~ ' then ' ~ power ~ '_kw end as double)', percents) }}
            as {{ part }}_{{ power }},
        {%- endfor %}
        {%- endfor %}
        count(distinct instant) as half_hours
    from drawn
    group by run_id, archetype, resolution, half_hour_starts_at, half_hour_of_day

),

final as (

    {% for part in fleet_parts() -%}
    select
        -- keys
        run_id,
        archetype,
        resolution,
        half_hour_starts_at,
        half_hour_of_day,
        '{{ part }}' as fleet_part,

        -- attributes
        half_hour_local_at,

        -- measures
        cast({{ part }}_readings as double) / half_hours as cars,
        {%- for power in powers %}
        cast(coalesce({{ part }}_{{ power }}_kw, 0) as double) / half_hours as total_{{ power }}_kw,
        cast({{ part }}_{{ power }}_kw as double) / nullif({{ part }}_readings, 0) as mean_{{ power }}_kw,
        {%- for percent in percents %}
        {{ value_at(part ~ '_' ~ power, loop.index) }} as {{ power }}_kw_p{{ percent }},
        {%- endfor %}
        {%- endfor %}
        half_hours
    from measured
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select * from final
