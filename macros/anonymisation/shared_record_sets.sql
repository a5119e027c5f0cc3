{#- A query that gives each vehicle the longest set of records that it shares with enough others. Records of a vehicle are linked by its
    pseudonym, so their set is what could single it out: it is released only if the vehicles that are released with exactly this set
    are a safe cell (`cell_safety`).

    `records` has one row per group, vehicle and record: the columns of `groups`, vehicle_key, client_id, record_number from 1 to at most
    `length`, and `record`, which says it as text. The sets of a vehicle are its first records, the longest first: a vehicle whose
    longest is too rare is tried with the next shorter one, together with those that are there already.

    One row per group and vehicle: released_records (0: none), record_set, vehicles and clients that have it, hidden_reason. -#}
{% macro shared_record_sets(records, groups, record, length) -%}
{%- set group = groups | join(', ') -%}
with

sets as (

    select
        {{ group }},
        vehicle_key,
        client_id,
        record_number,
        string_agg({{ record }}, ' | ') over (
            partition by {{ group }}, vehicle_key
            order by record_number
            rows between unbounded preceding and current row
        ) as record_set
    from {{ records }}

),
{% for count in range(length, 0, -1) %}
candidates_{{ count }} as (

    select sets.*
    from sets
    {%- if not loop.first %}
    left join tried_{{ count + 1 }} as longer
        on
            {% for column in groups %}sets.{{ column }} = longer.{{ column }}
            and {% endfor %}sets.vehicle_key = longer.vehicle_key
            and longer.hidden_reason is null
    {%- endif %}
    where
        sets.record_number = {{ count }}
        {%- if not loop.first %}
        and longer.vehicle_key is null
        {%- endif %}

),

tried_{{ count }} as (

    select
        candidates.*,
        judged.vehicles,
        judged.clients,
        judged.hidden_reason
    from candidates_{{ count }} as candidates
    inner join (
        {{ cell_safety('candidates_' ~ count, groups + ['record_set']) }}
    ) as judged
        on
            {% for column in groups %}candidates.{{ column }} = judged.{{ column }}
            and {% endfor %}candidates.record_set = judged.record_set
    {%- if not loop.first %}

    union all

    select * from tried_{{ count + 1 }}
    where hidden_reason is null
    {%- endif %}

),
{% endfor %}
released as (

    select
        {{ group }},
        vehicle_key,
        client_id,
        case when hidden_reason is null then record_number else 0 end as released_records,
        record_set,
        vehicles,
        clients,
        hidden_reason
    from tried_1

)

select * from released
{%- endmacro %}
