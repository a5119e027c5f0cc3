with

records as (

    select * from {{ ref('int_extracts__vehicle_records') }}

),

record_sets as (

    select * from {{ ref('int_extracts__record_sets') }}

),

pseudonyms as (

    select * from {{ ref('int_extracts__pseudonyms') }}

),

final as (

    select
        -- keys
        pseudonyms.partner,
        records.month,
        pseudonyms.vehicle_pseudonym,

        -- attributes
        records.soc_start_pct,
        records.soc_end_pct,
        records.power_class
    from records
    inner join record_sets
        on
            records.month = record_sets.month
            and records.vehicle_key = record_sets.vehicle_key
    inner join pseudonyms
        on
            records.month = pseudonyms.month
            and records.vehicle_key = pseudonyms.vehicle_key
    where records.record_number <= record_sets.released_records

)

select * from final
