{% set sides = {'run_id': 1, 'other_run_id': -1} %}
{% set edges = {
    'first_departed_at': 'greatest',
    'last_departed_at': 'least',
    'first_arrived_at': 'greatest',
    'last_arrived_at': 'least',
} %}

with

comparisons as (

    select * from {{ ref('int_simulator__comparisons') }}

),

dispatches as (

    select * from {{ ref('stg_simulator__dispatches') }}

),

users as (

    select * from {{ ref('stg_simulator__users') }}

),

trips as (

    select
        run_id,
        user_id,
        departed_at,
        arrived_at,
        driving_kwh
    from {{ ref('stg_simulator__trips') }}

),

pairs as (

    select
        run_id,
        reference_run_id as other_run_id
    from comparisons

    union distinct

    select
        run_id,
        counterfactual_run_id as other_run_id
    from dispatches

),

run_spans as (

    select
        run_id,
        min(departed_at) as first_departed_at,
        max(departed_at) as last_departed_at,
        min(arrived_at) as first_arrived_at,
        max(arrived_at) as last_arrived_at
    from trips
    group by run_id

),

-- A trip across the edge of one run may be missing there: only those that neither run can lack are compared.
pair_spans as (

    select
        pairs.run_id,
        pairs.other_run_id,
        {%- for edge, inner_one in edges.items() %}
        {{ inner_one }}(own.{{ edge }}, other.{{ edge }}) as {{ edge }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from pairs
    inner join run_spans as own
        on pairs.run_id = own.run_id
    inner join run_spans as other
        on pairs.other_run_id = other.run_id

),

sides as (
    {%- for side, sign in sides.items() %}

    select
        *,
        {{ side }} as side_run_id,
        {{ sign }} as sign
    from pair_spans
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

-- The trips of the one run less those of the other.
other_trips as (

    select
        sides.run_id,
        sides.other_run_id,
        trips.user_id
    from sides
    inner join trips
        on
            sides.side_run_id = trips.run_id
            and trips.departed_at between sides.first_departed_at and sides.last_departed_at
            and trips.arrived_at between sides.first_arrived_at and sides.last_arrived_at
    group by sides.run_id, sides.other_run_id, trips.user_id
    having
        sum(sides.sign) <> 0
        or sum(sides.sign * trips.driving_kwh) <> 0
        or sum(sides.sign * {{ microseconds_between('sides.first_departed_at', 'trips.departed_at') }}) <> 0

),

final as (

    select
        -- keys
        pairs.run_id,
        pairs.other_run_id,
        own.user_id
    from pairs
    inner join users as own
        on pairs.run_id = own.run_id
    inner join users as other
        on
            pairs.other_run_id = other.run_id
            and own.user_id = other.user_id
            and own.archetype = other.archetype
            and own.battery_kwh = other.battery_kwh
            and own.charger_kw = other.charger_kw
            and own.price_zone = other.price_zone
            and own.time_zone = other.time_zone
    left join other_trips
        on
            pairs.run_id = other_trips.run_id
            and pairs.other_run_id = other_trips.other_run_id
            and own.user_id = other_trips.user_id
    where other_trips.user_id is null

)

select * from final
