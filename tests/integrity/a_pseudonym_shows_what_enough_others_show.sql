{#- From the rows as they are released, without the models that made them. -#}

with

records as (

    select * from {{ ref('extract_charging_records') }}

),

pseudonyms as (

    select * from {{ ref('int_extracts__pseudonyms') }}

),

vehicles as (

    select
        vehicle_key,
        client_id
    from {{ ref('dim_vehicle') }}

),

shown as (

    select
        partner,
        month,
        vehicle_pseudonym,
        string_agg(
            soc_start_pct || ' ' || soc_end_pct || ' ' || power_class, ' | '
            order by soc_start_pct, soc_end_pct, power_class
        ) as record_set
    from records
    group by partner, month, vehicle_pseudonym

),

shared as (

    select
        shown.partner,
        shown.month,
        shown.record_set,
        count(distinct pseudonyms.vehicle_key) as vehicles,
        count(distinct vehicles.client_id) as clients
    from shown
    left join pseudonyms
        on
            shown.partner = pseudonyms.partner
            and shown.month = pseudonyms.month
            and shown.vehicle_pseudonym = pseudonyms.vehicle_pseudonym
    left join vehicles
        on pseudonyms.vehicle_key = vehicles.vehicle_key
    group by shown.partner, shown.month, shown.record_set

)

select * from shared
where
    vehicles < {{ var('extract_min_vehicles') }}
    or clients < {{ var('extract_min_clients') }}
