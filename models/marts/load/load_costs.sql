with

hourly_load as (

    select * from {{ ref('hourly_load') }}
    where load_profile in (
        {%- for profile in charging_profiles() %}
        '{{ profile.name }}'{% if not loop.last %},{% endif %}
        {%- endfor %}
    )

),

hours as (

    select * from {{ ref('int_price_hours') }}
    where price_zone = '{{ var("residential_price_zone") }}'

),

session_costs as (

    select * from {{ ref('int_charging_costs__residential') }}

),

loads as (

    select
        hourly_load.load_profile,
        cast(date_trunc('month', hourly_load.load_started_local_at) as date) as month_start_date,
        sum(hourly_load.energy_kwh) as energy_kwh,
        sum(case when hours.price_eur_per_mwh is not null then hourly_load.energy_kwh else 0 end) as priced_energy_kwh,
        sum(case when hours.gco2_per_kwh is not null then hourly_load.energy_kwh else 0 end) as carbon_energy_kwh,
        sum(hourly_load.charging_sessions) as loads,
        sum(case when hours.price_eur_per_mwh is null then hourly_load.charging_sessions else 0 end) as unpriced_loads,
        sum({{ times_price('hourly_load.energy_kwh', 'hours.price_eur_per_mwh') }}) * 0.001 as cost_eur,
        sum({{ times_price('hourly_load.energy_kwh', 'hours.gco2_per_kwh') }}) * 0.001 as co2_kg
    from hourly_load
    left join hours
        on hourly_load.load_started_at = hours.hour_started_at
    group by hourly_load.load_profile, month_start_date

),

sessions as (

    select
        load_profile,
        cast(date_trunc('month', plugged_in_local_at) as date) as month_start_date,
        count(*) as charging_sessions,
        sum(energy_kwh) as session_energy_kwh,
        count(case when shift_status = 'shiftable' then 1 end) as shiftable_sessions,
        {%- for status in ['shiftable', 'unfitting', 'open', 'unpriced'] %}
        sum(case when shift_status = '{{ status }}' then energy_kwh else 0 end) as {{ status }}_session_energy_kwh,
        {%- endfor %}
        sum(case when immediate_co2_kg is not null then energy_kwh else 0 end) as carbon_session_energy_kwh,
        {%- for measure in ['immediate_cost_eur', 'cheapest_cost_eur', 'immediate_co2_kg', 'lowest_co2_kg'] %}
        cast(sum({{ measure }}) as decimal(18, 6)) as {{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from session_costs
    group by load_profile, month_start_date

),

months as (

    select
        load_profile,
        month_start_date
    from loads

    union distinct

    select
        load_profile,
        month_start_date
    from sessions

),

final as (

    select
        -- keys
        months.load_profile,
        months.month_start_date,

        -- measures: loads, in the month of their hour
        cast(coalesce(loads.energy_kwh, 0) as decimal(18, 6)) as energy_kwh,
        cast(coalesce(loads.priced_energy_kwh, 0) as decimal(18, 6)) as priced_energy_kwh,
        cast(coalesce(loads.energy_kwh - loads.priced_energy_kwh, 0) as decimal(18, 6)) as unpriced_energy_kwh,
        cast(coalesce(loads.carbon_energy_kwh, 0) as decimal(18, 6)) as carbon_energy_kwh,
        cast(coalesce(loads.loads, 0) as bigint) as loads,
        cast(coalesce(loads.unpriced_loads, 0) as bigint) as unpriced_loads,
        cast(loads.cost_eur as decimal(18, 6)) as cost_eur,
        cast(loads.cost_eur as double) / nullif(loads.priced_energy_kwh, 0) as mean_price_eur_per_kwh,
        cast(loads.co2_kg as decimal(18, 6)) as co2_kg,
        cast(loads.co2_kg as double) * 1000 / nullif(loads.carbon_energy_kwh, 0) as mean_gco2_per_kwh,

        -- measures: sessions, in the month of their plug-in
        cast(coalesce(sessions.charging_sessions, 0) as bigint) as charging_sessions,
        cast(coalesce(sessions.shiftable_sessions, 0) as bigint) as shiftable_sessions,
        cast(coalesce(sessions.session_energy_kwh, 0) as decimal(18, 6)) as session_energy_kwh,
        cast(coalesce(sessions.shiftable_session_energy_kwh, 0) as decimal(18, 6)) as shiftable_energy_kwh,
        cast(coalesce(sessions.unfitting_session_energy_kwh, 0) as decimal(18, 6)) as unfitting_energy_kwh,
        cast(coalesce(sessions.open_session_energy_kwh, 0) as decimal(18, 6)) as open_energy_kwh,
        cast(coalesce(sessions.unpriced_session_energy_kwh, 0) as decimal(18, 6)) as unpriced_session_energy_kwh,
        cast(coalesce(sessions.carbon_session_energy_kwh, 0) as decimal(18, 6)) as shiftable_carbon_energy_kwh,
        sessions.immediate_cost_eur,
        sessions.cheapest_cost_eur,
        cast(sessions.immediate_cost_eur - sessions.cheapest_cost_eur as decimal(18, 6)) as saving_eur,
        case
            when sessions.immediate_cost_eur > 0
                then 100 * cast(sessions.immediate_cost_eur - sessions.cheapest_cost_eur as double) / sessions.immediate_cost_eur
        end as saving_pct,
        sessions.immediate_co2_kg,
        sessions.lowest_co2_kg,
        cast(sessions.immediate_co2_kg - sessions.lowest_co2_kg as decimal(18, 6)) as saving_co2_kg,
        case
            when sessions.immediate_co2_kg > 0
                then 100 * cast(sessions.immediate_co2_kg - sessions.lowest_co2_kg as double) / sessions.immediate_co2_kg
        end as saving_co2_pct
    from months
    left join loads
        on
            months.load_profile = loads.load_profile
            and months.month_start_date = loads.month_start_date
    left join sessions
        on
            months.load_profile = sessions.load_profile
            and months.month_start_date = sessions.month_start_date

)

select * from final
