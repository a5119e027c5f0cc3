{{ config(pre_hook="{{ say_key_source() }}") }}

with

partners as (

    select distinct partner from {{ ref('partner_extracts') }}
    where column_name = 'vehicle_pseudonym'

),

released as (

    select
        month,
        vehicle_key
    from {{ ref('int_extracts__record_sets') }}
    where released_records > 0

),

months as (

    select distinct month from released

),

vehicles as (

    select
        vehicle_key,
        vehicle_id
    from {{ ref('dim_vehicle') }}

),

partner_months as (

    select
        partners.partner,
        months.month
    from partners
    cross join months

),

{{ with_pseudonym_keys('partner_months') }},

final as (

    select
        -- keys
        pseudonym_keys.partner,
        released.month,
        released.vehicle_key,

        -- attributes
        vehicles.vehicle_id,
        {{ pseudonym('vehicle', 'vehicles.vehicle_id') }} as vehicle_pseudonym,
        {{ dbt.string_literal(var('extract_epoch')) }} as epoch,
        cast({{ pseudonym_variable('pseudonym_key_source') }} as varchar) as key_source
    from released
    inner join vehicles
        on released.vehicle_key = vehicles.vehicle_key
    inner join pseudonym_keys
        on released.month = pseudonym_keys.month

)

select * from final
