{{ config(severity='warn') }}

with

sessions as (

    select * from {{ ref('int_charging_sessions__residential') }}
    where
        not is_ambiguous_time
        and not has_duration_conflict

),

costs as (

    select * from {{ ref('int_charging_costs__residential') }}
    where shift_status = 'shiftable'

),

hours as (

    select * from {{ ref('int_price_hours') }}
    where price_zone = '{{ var("residential_price_zone") }}'

),

loads as (

    {% for profile in charging_profiles() -%}
    select
        loads.session_id,
        '{{ profile.name }}' as load_profile,
        sum(loads.{{ profile.name }}_kwh) as energy_kwh,
        sum({{ times_price('loads.' ~ profile.name ~ '_kwh', 'hours.price_eur_per_mwh') }}) * 0.001 as cost_eur,
        max(abs(hours.price_eur_per_mwh)) * 0.001 as highest_price_eur_per_kwh
    from {{ ref('int_hourly_loads__residential') }} as loads
    left join hours
        on loads.load_started_at = hours.hour_started_at
    group by loads.session_id
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select
    sessions.session_id,
    costs.load_profile,
    costs.energy_kwh,
    costs.immediate_cost_eur,
    loads.cost_eur as loads_cost_eur
from costs
inner join sessions
    on costs.session_key = sessions.session_key
inner join loads
    on
        sessions.session_id = loads.session_id
        and costs.load_profile = loads.load_profile
        and abs(costs.energy_kwh - loads.energy_kwh) <= 0.01
where abs(costs.immediate_cost_eur - loads.cost_eur) > 0.01 * loads.highest_price_eur_per_kwh
