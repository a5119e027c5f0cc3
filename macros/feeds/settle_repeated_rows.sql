{#- After a feed is judged, say what becomes of rows that share their key: in the base table, row_status changes from
    accepted to
      duplicate   says the same as the row that counts
      superseded  says something else, and a newer delivery (a later row, a later file) says better
    Where the column that fold names is set, the hour was twice on the local clock. place_in_fold names the column that
    says which of the two a row is, 1 or 2. Where it doesn't, two rows of one file are the first and the second, and a
    single row is the second: one that lasts an hour and ends an hour later on the clock can be no other.
    Where earliest names a column of times, no delivery says better than another: the row with the earliest time counts,
    wherever it stands.

    Rows that may share a key are found by a hash of it, which is cheap on tens of millions of rows; keys and values
    themselves are compared only among these. -#}
{% macro settle_repeated_rows(key, values, fold=none, place_in_fold=none, earliest=none) -%}
{%- set keys = key | join(', ') -%}
{%- set occurrence = 'case when is_in_fold then least(place_in_file, 2) else 1 end' -%}
with

repeated_hashes as (

    select {{ row_hash(key) }} as key_hash
    from {{ this }}
    where row_status = 'accepted'
    group by key_hash
    having count(*) > 1

),

candidates as (

    select
        rowid as row_id,
        file_number,
        {%- if earliest %}
        {{ earliest }},
        {%- endif %}
        {{ keys }},
        row({{ (key + values) | join(', ') }}) as content,
        {% if fold -%}
        {{ fold }} is not null as is_in_fold,
        coalesce(
            {{ place_in_fold }},
            case when count(*) over (partition by {{ keys }}, file_number, {{ place_in_fold }}) = 1 then 2 end,
            row_number() over (partition by {{ keys }}, file_number, {{ place_in_fold }} order by rowid)
        ) as place_in_file
        {%- else -%}
        false as is_in_fold,
        1 as place_in_file
        {%- endif %}
    from {{ this }}
    where
        row_status = 'accepted'
        and {{ row_hash(key) }} in (select key_hash from repeated_hashes)

),

compared as (

    select
        row_id,
        content,
        is_in_fold,
        {{ occurrence }} as occurrence,
        max({{ occurrence }}) over (partition by {{ keys }}) as occurrences,
        last_value(row_id) over best_last as best_row_id,
        last_value(content) over best_last as best_content
    from candidates
    window best_last as (
        partition by {{ keys }}, {{ occurrence }}
        order by {% if earliest %}{{ earliest }} desc, {% endif %}file_number, row_id
        rows between unbounded preceding and unbounded following
    )

)

update {{ this }} as feed
set
    row_status = case
        when compared.row_id = compared.best_row_id then 'accepted'
        when compared.content is not distinct from compared.best_content then 'duplicate'
        else 'superseded'
    end
    {%- if fold %},
    {{ place_in_fold }} = case
        when compared.is_in_fold and compared.occurrences > 1 then compared.occurrence
        else feed.{{ place_in_fold }}
    end
    {%- endif %}
from compared
where feed.rowid = compared.row_id
{%- endmacro %}
