{#- A subquery: the spans of a relation (started_at, ended_at), those with the same keys that overlap or touch made one. A span
    begins where nothing before it reaches; further columns are aggregates over the spans that became one. -#}
{% macro merged_spans(relation, keys, aggregates={}) -%}
(
    select
        {{ keys | join(', ') }},
        {%- for name, aggregate in aggregates.items() %}
        {{ aggregate }} as {{ name }},
        {%- endfor %}
        min(started_at) as started_at,
        max(ended_at) as ended_at
    from (
        select
            *,
            count(case when ended_so_far is null or ended_so_far < started_at then 1 end) over (
                partition by {{ keys | join(', ') }}
                order by started_at, ended_at
                rows between unbounded preceding and current row
            ) as span_number
        from (
            select
                *,
                max(ended_at) over (
                    partition by {{ keys | join(', ') }}
                    order by started_at, ended_at
                    rows between unbounded preceding and 1 preceding
                ) as ended_so_far
            from {{ relation }}
        )
    )
    group by {{ keys | join(', ') }}, span_number
)
{%- endmacro %}
