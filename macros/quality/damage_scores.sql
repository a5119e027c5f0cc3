{#- How well damage is found that was done on purpose: per kind of damage what was injected, what was detected, and what of
    it is the same. Both relations have damage_kind and the columns of `key`, which name what is damaged. Without anything
    injected there is nothing to compare with, and no row. -#}
{% macro damage_scores(injected, detected, key) -%}
with

injected as (

    select
        damage_kind,
        {{ key | join(', ') }}
    from {{ injected }}

),

detected as (

    select
        damage_kind,
        {{ key | join(', ') }}
    from {{ detected }}
    where exists (select 1 from injected)

),

compared as (

    select
        coalesce(injected.damage_kind, detected.damage_kind) as damage_kind,
        injected.damage_kind is not null as is_injected,
        detected.damage_kind is not null as is_detected
    from injected
    full outer join detected
        on
            injected.damage_kind = detected.damage_kind
            {%- for column in key %}
            and injected.{{ column }} = detected.{{ column }}
            {%- endfor %}

),

counted as (

    select
        damage_kind,
        sum(case when is_injected then 1 else 0 end) as injected,
        sum(case when is_detected then 1 else 0 end) as detected,
        sum(case when is_injected and is_detected then 1 else 0 end) as hits
    from compared
    group by damage_kind

),

final as (

    select
        -- keys
        damage_kind,

        -- measures
        cast(injected as bigint) as injected,
        cast(detected as bigint) as detected,
        cast(hits as bigint) as hits,
        cast(case when detected > 0 then hits / detected end as double) as precision_share,
        cast(case when injected > 0 then hits / injected end as double) as recall_share
    from counted

)

select * from final
{%- endmacro %}
