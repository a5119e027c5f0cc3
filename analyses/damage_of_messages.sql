-- Question: which damage do the messages of the chargers show?
-- Who asks: data owners, before figures from messages are quoted; the supplier of a charger whose clock or meter is off.
-- How to read: one row per kind of damage. What a kind is, and how it is borne, says `quality.message_damage`. Most of one
-- kind at one charger is that charger's fault; spread over all it is the network's or the backend's. Precision and recall
-- are known only where the damage was injected, as in the made-up feed.
with

damage as (

    select * from {{ ref('message_damage') }}

),

scores as (

    select * from {{ ref('message_damage_scores') }}

),

chargers as (

    select
        damage_kind,
        charger_id,
        count(*) as findings
    from damage
    group by damage_kind, charger_id

),

ranked as (

    select
        *,
        row_number() over (partition by damage_kind order by findings desc, charger_id) as charger_rank
    from chargers

),

kinds as (

    select
        damage_kind,
        cast(sum(findings) as bigint) as findings,
        count(*) as chargers,
        max(case when charger_rank = 1 then charger_id end) as worst_charger_id,
        max(findings) as findings_at_worst_charger
    from ranked
    group by damage_kind

),

final as (

    select
        -- keys
        kinds.damage_kind,

        -- attributes
        kinds.worst_charger_id,

        -- measures
        kinds.findings,
        kinds.chargers,
        cast(kinds.findings_at_worst_charger as double) / kinds.findings as share_of_worst_charger,
        case when scores.injected > 0 then scores.precision_share end as precision_share,
        scores.recall_share
    from kinds
    left join scores
        on kinds.damage_kind = scores.damage_kind
    order by kinds.damage_kind

)

select * from final
