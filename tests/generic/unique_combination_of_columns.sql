{#- No two rows share the values of the columns. Candidates are found by a hash, which is cheap on tens of millions of
    rows; the values themselves are compared only among these. NULL is a value like any other. -#}
{% test unique_combination_of_columns(model, columns) %}

with

repeated_hashes as (

    select {{ row_hash(columns) }} as combination_hash
    from {{ model }}
    group by combination_hash
    having count(*) > 1

),

candidates as (

    select {{ columns | join(', ') }}
    from {{ model }}
    where {{ row_hash(columns) }} in (select combination_hash from repeated_hashes)

)

select
    {{ columns | join(',\n    ') }},
    count(*) as row_count
from candidates
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
