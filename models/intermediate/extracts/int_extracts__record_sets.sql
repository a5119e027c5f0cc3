with

judged as (

    {{ shared_record_sets(ref('int_extracts__vehicle_records'), ['month'], 'record', var('extract_records_per_vehicle')) }}

),

final as (

    select
        -- keys
        month,
        vehicle_key,

        -- attributes
        client_id,
        record_set,
        hidden_reason,

        -- measures
        cast(released_records as integer) as released_records,
        cast(vehicles as bigint) as vehicles,
        cast(clients as bigint) as clients
    from judged

)

select * from final
