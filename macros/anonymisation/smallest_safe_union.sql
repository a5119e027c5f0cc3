{#- A query that finds in each group of cells those that may not be published, and the smallest others that must go with them: as many
    as make the union of all of these a safe cell. The union is then published as one cell (rare classes are merged), or it is
    hidden (complementary suppression: total - shown is the union). A union of safe cells is safe, so whatever else is added up is,
    too.

    One row per group and cell: vehicles, clients, hidden_reason of the cell by itself, is_in_union, and is_union_safe: false where
    not even all cells of the group together are safe; all are in the union then. A cell that is called as `merged_class` belongs to
    any union. Arguments are those of `cell_safety`, whose keys are `groups` and `cell`. -#}
{% macro smallest_safe_union(contributions, groups, cell, sums=[], merged_class=none) -%}
{%- set group = groups | join(', ') -%}
with

cells as (

    select
        *,
        hidden_reason is not null{% if merged_class %} or {{ cell }} = {{ dbt.string_literal(merged_class) }}{% endif %} as is_rare
    from (
        {{ cell_safety(contributions, groups + [cell], sums) }}
    ) as judged

),

-- Rare cells have reach 0, the others follow from the smallest on.
ranked as (

    select
        *,
        count(case when is_rare then 1 end) over (partition by {{ group }}) > 0 as has_rare,
        case when is_rare then 0 else row_number() over (partition by {{ group }}, is_rare order by vehicles, {{ cell }}) end as reach
    from cells

),

reaches as (

    select distinct
        {{ group }},
        reach
    from ranked
    where has_rare

),

unions as (

    select
        {% for column in groups %}contributions.{{ column }},
        {% endfor -%}
        reaches.reach,
        contributions.vehicle_key,
        contributions.client_id
        {%- for value in sums %},
        sum(contributions.{{ value }}) as {{ value }}
        {%- endfor %}
    from {{ contributions }} as contributions
    inner join ranked
        on
            {% for column in groups %}contributions.{{ column }} = ranked.{{ column }}
            and {% endfor %}contributions.{{ cell }} = ranked.{{ cell }}
    inner join reaches
        on
            {% for column in groups %}ranked.{{ column }} = reaches.{{ column }}
            and {% endfor %}ranked.reach <= reaches.reach
    group by
        {% for column in groups %}contributions.{{ column }},
        {% endfor -%}
        reaches.reach,
        contributions.vehicle_key,
        contributions.client_id

),

smallest as (

    select
        {{ group }},
        min(reach) as reach
    from (
        {{ cell_safety('unions', groups + ['reach'], sums) }}
    ) as judged
    where hidden_reason is null
    group by {{ group }}

)

select
    {% for column in groups %}ranked.{{ column }},
    {% endfor -%}
    ranked.{{ cell }},
    ranked.vehicles,
    ranked.clients,
    ranked.hidden_reason,
    ranked.has_rare and ranked.reach <= coalesce(smallest.reach, ranked.reach) as is_in_union,
    not ranked.has_rare or smallest.reach is not null as is_union_safe
from ranked
left join smallest
    on
        {% for column in groups %}ranked.{{ column }} = smallest.{{ column }}{% if not loop.last %}
        and {% endif %}{% endfor %}
{%- endmacro %}
