with

contributions as (

    select * from {{ ref('int_extracts__published_types') }}

),

cells as (

    select * from {{ ref('int_extracts__type_cells') }}

),

measured as (

    select
        contributions.month,
        contributions.vehicle_type,
        {{ percentiles('contributions.kwh_per_100km', [25, 50, 75]) }} as consumptions,
        avg(contributions.hungry_share) as hungry_share,
        cells.has_some_hungry_share,
        cells.has_rest_hungry_share,
        -- the tails and the share of several rare types could be those of one of them
        contributions.vehicle_type = 'other' as is_merged
    from contributions
    inner join cells
        on
            contributions.month = cells.month
            and contributions.vehicle_type = cells.vehicle_type
    group by contributions.month, contributions.vehicle_type, cells.has_some_hungry_share, cells.has_rest_hungry_share

),

final as (

    select
        -- keys
        month,
        vehicle_type,

        -- measures
        {%- for quartile in ['p25', 'median', 'p75'] %}
        {%- set consumption = rounded_to(value_at('consumptions', loop.index), var('extract_consumption_step_kwh')) %}
        cast(
            case when {{ 'true' if quartile == 'median' else 'not is_merged' }} then {{ consumption }} end as integer
        ) as consumption_{{ quartile }}_kwh_per_100km,
        {%- endfor %}
        cast(
            case
                when not is_merged
                    then {{ rounded_share('hungry_share', 'has_some_hungry_share', 'has_rest_hungry_share') }}
            end as integer
        ) as energy_hungry_drives_share_pct
    from measured

)

select * from final
