with

loads as (

    select * from {{ ref('int_hourly_loads__residential') }}

),

sessions as (

    select
        source_system,
        session_id
    from {{ ref('fct_charging_sessions') }}
    where source_system = 'residential'

),

final as (

    select
        -- keys
        {{ surrogate_key(["'residential'", 'loads.session_id']) }} as session_key,

        -- foreign keys
        coalesce({{ surrogate_key(["'residential'", 'loads.user_id']) }}, {{ unknown_key() }}) as user_key,
        cast(loads.load_started_local_at as date) as date_key,
        {{ time_key('loads.load_started_local_at') }} as time_key,

        -- attributes
        'residential' as source_system,
        loads.session_id,
        loads.load_started_at,
        loads.load_started_local_at,

        -- measures
        loads.synthetic_3_6_kwh,
        loads.synthetic_7_2_kwh,
        loads.flex_3_6_kwh,
        loads.flex_7_2_kwh,

        -- flags
        sessions.session_id is not null as has_charging_session,
        loads.is_ambiguous_time
    from loads
    left join sessions
        on loads.session_id = sessions.session_id

)

select * from final
