{% set percents = [10, 50, 90] %}

with

half_hours as (

    {{ half_hours_by_resolution() }}

),

states as (

    select
        *,
        cast(soc_pct as double) as soc
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
        count(case when {{ is_part }} then soc end) as {{ part }}_readings,
        {{ percentiles('case when ' ~ is_part ~ ' then soc end', percents) }} as {{ part }}_soc,
        {%- endfor %}
        count(distinct instant) as half_hours
    from states
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
        {%- for percent in percents %}
        {{ value_at(part ~ '_soc', loop.index) }} as soc_pct_p{{ percent }},
        {%- endfor %}
        half_hours
    from measured
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select * from final
