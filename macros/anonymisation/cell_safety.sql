{#- A query that judges cells: one row per cell with its vehicles and clients, why it may not be published (NULL where it may), and per
    column of `values` whether enough vehicles say it.

    `contributions` has one row per cell and vehicle: the columns of `keys`, none NULL, client_id, and measures. A vehicle without a known
    client counts as a vehicle and not as a client; in the dominance of clients all of them are one client, as they might be.
    `sums` are columns whose sum is published, none below 0: a cell is safe if it is for each. `values` are columns of which a vehicle has one
    vote: medians, quartiles and mean shares. `shares` are columns from 0 to 1 whose mean is published: it is the sum of what each vehicle
    has of it, so has_some_<share> and has_rest_<share> say whether the share and what is missing to 1 are no one's by the p % rule. -#}
{% macro cell_safety(contributions, keys, sums=[], values=[], shares=[]) -%}
{%- set parts = {'some': '%s', 'rest': '1 - %s'} -%}
{%- set cell = keys | join(', ') -%}
with

by_client as (

    select
        {{ cell }},
        client_id,
        {%- for value in sums + values %}
        count({{ value }}) as {{ value }}_votes,
        {%- endfor %}
        {%- for value in sums %}
        sum({{ value }}) as {{ value }},
        max(cast({{ value }} as double), 2) as {{ value }}_largest,
        {%- endfor %}
        {%- for share in shares %}
        {%- for name, part in parts.items() %}
        sum({{ part % share }}) as {{ name }}_{{ share }},
        max({{ part % share }}, 2) as {{ name }}_{{ share }}_largest,
        {%- endfor %}
        {%- endfor %}
        count(*) as cell_votes
    from {{ contributions }}
    group by {{ cell }}, client_id

),

by_cell as (

    select
        {{ cell }}
        {%- for value in ['cell'] + sums + values %},
        sum({{ value }}_votes) as {{ value }}_vehicles,
        count(case when {{ value }}_votes > 0 then client_id end) as {{ value }}_clients,
        max({{ value }}_votes, 2) as {{ value }}_votes_of_clients
        {%- endfor %}
        {%- for value in sums %},
        cast(sum({{ value }}) as double) as {{ value }}_total,
        max(cast({{ value }} as double), 2) as {{ value }}_of_clients,
        list_reverse_sort(flatten(list({{ value }}_largest))) as {{ value }}_of_vehicles
        {%- endfor %}
        {%- for share in shares %}
        {%- for name in parts %},
        sum({{ name }}_{{ share }}) as {{ name }}_{{ share }}_total,
        max({{ name }}_{{ share }}, 2) as {{ name }}_{{ share }}_of_clients,
        list_reverse_sort(flatten(list({{ name }}_{{ share }}_largest))) as {{ name }}_{{ share }}_of_vehicles
        {%- endfor %}
        {%- endfor %}
    from by_client
    group by {{ cell }}

),

judged as (

    select
        {{ cell }},
        {%- for value in values %}
        {{ unsafe_reason(value ~ '_vehicles', value ~ '_clients', value ~ '_vehicles', [value ~ '_votes_of_clients']) }} is null
            as is_safe_{{ value }},
        {%- endfor %}
        {%- for share in shares %}
        {%- for name in parts %}
        {%- set part = name ~ '_' ~ share %}
        coalesce(
            {{ part }}_total > 0
            and {{ keeps_p_percent(part ~ '_total', part ~ '_of_vehicles') }}
            and {{ keeps_p_percent(part ~ '_total', part ~ '_of_clients') }},
            false
        ) as has_{{ part }},
        {%- endfor %}
        {%- endfor %}
        least({% for value in ['cell'] + sums %}{{ value }}_vehicles{% if not loop.last %}, {% endif %}{% endfor %}) as vehicles,
        least({% for value in ['cell'] + sums %}{{ value }}_clients{% if not loop.last %}, {% endif %}{% endfor %}) as clients,
        coalesce(
            {%- for value in sums %}
            {{ unsafe_reason(value ~ '_vehicles', value ~ '_clients', value ~ '_total', [value ~ '_of_vehicles', value ~ '_of_clients']) }},
            {%- endfor %}
            {{ unsafe_reason('cell_vehicles', 'cell_clients', 'cell_vehicles', ['cell_votes_of_clients']) }}
        ) as hidden_reason
    from by_cell

)

select * from judged
{%- endmacro %}
