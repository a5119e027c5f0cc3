{% set energies = {
    'net_import_kwh': 'half_hours.net_import_kwh',
    'counterfactual_kwh': 'half_hours.counterfactual_kwh',
    'baseline_kwh': 'baselines.baseline_kwh',
} %}

with

half_hours as (

    select * from {{ ref('int_simulator__dispatch_half_hours') }}

),

baselines as (

    select * from {{ ref('int_simulator__dispatch_baselines') }}

),

-- Energy is taken to flow evenly in a half-hour that the window cuts. A sum is known where all of its half-hours are.
summed as (

    select
        half_hours.run_id,
        half_hours.dispatch_id,
        half_hours.user_id,
        half_hours.span,
        min(half_hours.half_hour_local_at) as first_half_hour_local_at,
        min(coalesce(baselines.like_days, 0)) as like_days,
        {%- for name, energy in energies.items() %}
        case
            when count({{ energy }}) = count(*)
                then sum(cast({{ energy }} as decimal(19, 6)) * half_hours.seconds) / 1800
        end as {{ name }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from half_hours
    left join baselines
        on
            half_hours.run_id = baselines.run_id
            and half_hours.dispatch_id = baselines.dispatch_id
            and half_hours.user_id = baselines.user_id
            and half_hours.span = baselines.span
            and half_hours.half_hour_starts_at = baselines.half_hour_starts_at
    group by half_hours.run_id, half_hours.dispatch_id, half_hours.user_id, half_hours.span

),

final as (

    select
        -- keys
        run_id,
        dispatch_id,
        user_id,
        span,

        -- attributes
        first_half_hour_local_at,

        -- measures
        like_days,
        {%- for name in energies %}
        cast({{ name }} as decimal(18, 6)) as {{ name }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from summed

)

select * from final
