with

injected as (

    select
        damage_kind,
        run_id,
        user_id,
        reference
    from {{ ref('stg_simulator__injected_damage') }}

),

detected as (

    select
        damage_kind,
        run_id,
        user_id,
        reference
    from {{ ref('telemetry_damage') }}
    -- without anything injected there is nothing to compare with
    where exists (select 1 from injected)

),

compared as (

    select
        coalesce(injected.damage_kind, detected.damage_kind) as damage_kind,
        injected.run_id is not null as is_injected,
        detected.run_id is not null as is_detected
    from injected
    full outer join detected
        on
            injected.damage_kind = detected.damage_kind
            and injected.run_id = detected.run_id
            and injected.user_id = detected.user_id
            and injected.reference = detected.reference

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
