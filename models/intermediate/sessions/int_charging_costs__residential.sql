{#- The orders in which the hours of a connection can be filled, and what each is for. -#}
{% set orders = {
    'immediate': 'hour_started_at',
    'cheapest': 'price_eur_per_mwh nulls last, hour_started_at',
    'cleanest': 'gco2_per_kwh nulls last, hour_started_at',
} %}

with

sessions as (

    select
        *,
        {{ seconds_between('plugged_in_at', 'plugged_out_at') }} as connected_seconds
    from {{ ref('int_charging_sessions__residential') }}

),

hours as (

    select * from {{ ref('int_price_hours') }}
    where price_zone = '{{ var("residential_price_zone") }}'

),

profiles as (

    {% for profile in charging_profiles() -%}
    select
        '{{ profile.name }}' as load_profile,
        {{ profile.power_kw }} as power_kw
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

-- An hour of a clock half an hour apart from UTC begins within one of UTC: also in the one before the plug-in.
session_hours as (

    select
        session_key,
        plugged_in_at,
        plugged_out_at,
        energy_kwh,
        {{ each_hour('plugged_in_at - interval 1 hour', 'plugged_out_at') }} as utc_hour_at
    from sessions
    where
        energy_kwh > 0
        and plugged_out_at is not null

),

-- The hours of a connection, the first and the last for their part.
connected_hours as (

    select
        session_hours.session_key,
        session_hours.energy_kwh,
        hours.hour_started_at,
        hours.price_eur_per_mwh,
        hours.gco2_per_kwh,
        {{ seconds_between(
            'greatest(session_hours.plugged_in_at, hours.hour_started_at)',
            'least(session_hours.plugged_out_at, hours.hour_started_at + interval 1 hour)',
        ) }} as seconds
    from session_hours
    inner join hours
        on session_hours.utc_hour_at = date_trunc('hour', hours.hour_started_at)
    where
        session_hours.plugged_out_at > hours.hour_started_at
        and session_hours.plugged_in_at < hours.hour_started_at + interval 1 hour

),

queued as (

    select
        *,
        {%- for name, order in orders.items() %}
        coalesce(sum(seconds) over (
            partition by session_key
            order by {{ order }}
            rows between unbounded preceding and 1 preceding
        ), 0) as {{ name }}_seconds_before,
        {%- endfor %}
        sum(case when price_eur_per_mwh is not null then seconds end) over (partition by session_key) as priced_seconds,
        sum(case when gco2_per_kwh is not null then seconds end) over (partition by session_key) as carbon_seconds
    from connected_hours

),

-- Each order fills its hours at full power until the energy is in.
filled as (

    select
        queued.*,
        profiles.load_profile,
        {%- for name in orders %}
        greatest(0, least(
            {{ energy_at_power('queued.seconds', 'profiles.power_kw') }},
            queued.energy_kwh - {{ energy_at_power('queued.' ~ name ~ '_seconds_before', 'profiles.power_kw') }}
        )) as {{ name }}_kwh
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from queued
    cross join profiles

),

costs as (

    select
        session_key,
        load_profile,
        max(priced_seconds) as priced_seconds,
        max(carbon_seconds) as carbon_seconds,
        sum({{ times_price('immediate_kwh', 'price_eur_per_mwh') }}) * 0.001 as immediate_cost_eur,
        sum({{ times_price('cheapest_kwh', 'price_eur_per_mwh') }}) * 0.001 as cheapest_cost_eur,
        sum({{ times_price('immediate_kwh', 'gco2_per_kwh') }}) * 0.001 as immediate_co2_kg,
        sum({{ times_price('cleanest_kwh', 'gco2_per_kwh') }}) * 0.001 as lowest_co2_kg
    from filled
    group by session_key, load_profile

),

judged as (

    select
        sessions.*,
        profiles.load_profile,
        costs.immediate_cost_eur,
        costs.cheapest_cost_eur,
        costs.immediate_co2_kg,
        costs.lowest_co2_kg,
        sessions.energy_kwh <= {{ energy_at_power('sessions.connected_seconds', 'profiles.power_kw') }} as fits,
        coalesce(costs.priced_seconds = sessions.connected_seconds, false) as is_priced,
        coalesce(costs.carbon_seconds = sessions.connected_seconds, false) as has_carbon
    from sessions
    cross join profiles
    left join costs
        on
            sessions.session_key = costs.session_key
            and profiles.load_profile = costs.load_profile

),

final as (

    select
        -- keys
        session_key,
        load_profile,

        -- attributes
        plugged_in_local_at,
        case
            when plugged_out_at is null then 'open'
            when energy_kwh = 0 then 'no_energy'
            when not fits then 'unfitting'
            when is_priced then 'shiftable'
            else 'unpriced'
        end as shift_status,

        -- measures
        energy_kwh,
        {%- for measure in ['immediate_cost_eur', 'cheapest_cost_eur'] %}
        cast(case when fits and is_priced then {{ measure }} end as decimal(38, 15)) as {{ measure }},
        {%- endfor %}
        {%- for measure in ['immediate_co2_kg', 'lowest_co2_kg'] %}
        cast(case when fits and has_carbon then {{ measure }} end as decimal(38, 15)) as {{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from judged

)

select * from final
