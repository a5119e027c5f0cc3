with

staged as (

    select
        {%- for profile in load_profiles() %}
        coalesce(sum({{ profile.name }}_kwh), 0) as {{ profile.name }}_kwh,
        {%- endfor %}
        count(*) as rows_summed
    from {{ ref('stg_residential__hourly_loads') }}

),

facts as (

    select
        {%- for profile in load_profiles() %}
        coalesce(sum({{ profile.name }}_kwh), 0) as {{ profile.name }}_kwh,
        {%- endfor %}
        count(*) as rows_summed
    from {{ ref('fct_hourly_loads') }}

),

measured as (

    {% for profile in load_profiles() -%}
    select
        '{{ profile.name }}' as load_profile,
        staged.{{ profile.name }}_kwh as staged_kwh,
        facts.{{ profile.name }}_kwh as fact_kwh
    from staged
    cross join facts
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

{% for mart in ['hourly_load', 'daily_load', 'load_profile_by_hour'] -%}
{{ mart }} as (

    select
        load_profile,
        sum(energy_kwh) as energy_kwh
    from {{ ref(mart) }}
    group by load_profile

),

{% endfor -%}
compared as (

    select
        measured.load_profile,
        measured.staged_kwh,
        measured.fact_kwh,
        coalesce(hourly_load.energy_kwh, 0) as hourly_load_kwh,
        coalesce(daily_load.energy_kwh, 0) as daily_load_kwh,
        coalesce(load_profile_by_hour.energy_kwh, 0) as load_profile_by_hour_kwh,
        coalesce(load_kpis.total_energy_kwh, 0) as load_kpis_kwh
    from measured
    left join hourly_load
        on measured.load_profile = hourly_load.load_profile
    left join daily_load
        on measured.load_profile = daily_load.load_profile
    left join load_profile_by_hour
        on measured.load_profile = load_profile_by_hour.load_profile
    left join {{ ref('load_kpis') }} as load_kpis
        on measured.load_profile = load_kpis.load_profile

)

select *
from compared
where
    fact_kwh <> staged_kwh
    or hourly_load_kwh <> staged_kwh
    or daily_load_kwh <> staged_kwh
    or load_profile_by_hour_kwh <> staged_kwh
    or load_kpis_kwh <> staged_kwh
