{% set values = ['power_kw', 'duration_minutes', 'soc_start_pct', 'soc_end_pct'] %}

with

contributions as (

    select * from {{ ref('int_extracts__session_contributions') }}

),

places as (

    select * from {{ ref('int_extracts__session_places') }}
    where is_published

),

judged as (

    {{ cell_safety(ref('int_extracts__session_contributions'), ['month', 'place'], values=values, shares=['complete_share']) }}

),

measured as (

    select
        month,
        place,
        sum(energy_kwh) as energy_kwh,
        avg(complete_share) as complete_share,
        {%- for value in values %}
        median({{ value }}) as {{ value }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from contributions
    group by month, place

),

enough as (

    select
        places.month,
        places.place,
        measured.energy_kwh,
        measured.complete_share,
        judged.has_some_complete_share,
        judged.has_rest_complete_share,
        {%- for value in values %}
        case when judged.is_safe_{{ value }} then measured.{{ value }} end as {{ value }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from places
    inner join measured
        on
            places.month = measured.month
            and places.place = measured.place
    inner join judged
        on
            places.month = judged.month
            and places.place = judged.place

),

final as (

    select
        -- keys
        month,
        place,

        -- measures
        {{ rounded_to('energy_kwh', var('extract_energy_step_kwh')) }} as energy_kwh,
        cast({{ rounded_to('power_kw', var('extract_power_step_kw')) }} as integer) as median_power_kw,
        cast({{ rounded_to('duration_minutes', var('extract_duration_step_minutes')) }} as integer) as median_duration_minutes,
        cast({{ rounded_to('soc_start_pct', var('extract_soc_step_pct')) }} as integer) as median_soc_start_pct,
        cast({{ rounded_to('soc_end_pct', var('extract_soc_step_pct')) }} as integer) as median_soc_end_pct,
        cast({{ rounded_share('complete_share', 'has_some_complete_share', 'has_rest_complete_share') }} as integer)
            as complete_share_pct
    from enough

)

select * from final
