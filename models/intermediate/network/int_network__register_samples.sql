with

messages as (

    select
        charger_id,
        message_id,
        transaction_id,
        evse_id,
        occurred_at,
        {{ seconds_between('stamped_at', 'occurred_at') }} as clock_seconds,
        unnest(meter_values) as meter_value
    from {{ ref('int_network__messages') }}
    where
        meter_values is not null
        and is_from_charger
        and {{ is_transaction_id('transaction_id') }}

),

sampled as (

    select
        * exclude (meter_value),
        {{ to_iso_instant("meter_value['timestamp']") }} as stamp,
        unnest(meter_value['sampledValue']) as sample
    from messages

),

measured as (

    select
        * exclude (sample),
        coalesce({{ clean_text("sample['measurand']") }}, 'Energy.Active.Import.Register') as measurand,
        lower(coalesce({{ clean_text("sample['unit']") }}, {{ clean_text("sample['unitOfMeasure']['unit']") }}, '')) as unit,
        {{ to_decimal("trim(sample['value'])", 18, 6) }} as value,
        coalesce(try_cast(sample['unitOfMeasure']['multiplier'] as integer), 0) as multiplier
    from sampled
    where
        coalesce({{ clean_text("sample['phase']") }}, '') = ''
        -- only the vehicle knows its state of charge
        and (coalesce({{ clean_text("sample['location']") }}, 'Outlet') = 'Outlet' or sample['measurand'] = 'SoC')

),

scaled as (

    select
        * replace (
            try_cast(
                cast(value as double) * power(10, multiplier) * case
                    when unit in ('kwh', 'kw') then 1000
                    when unit in ('', 'wh', 'w', 'percent') then 1
                end
                as decimal(18, 3)
            ) as value
        )
    from measured

),

final as (

    select
        -- keys
        charger_id,
        transaction_id,

        -- attributes
        message_id,
        evse_id,
        -- a stamp that can't be is worth less than the time of the message
        case
            when
                stamp >= cast('{{ var("earliest_date") }}' as timestamp)
                and stamp < cast('{{ var("as_of") }}' as timestamp) + interval 1 day
                then stamp + interval 1 second * coalesce(clock_seconds, 0)
            else occurred_at
        end as read_at,
        measurand,

        -- measures
        value,

        -- flags
        coalesce(value < 0, true) as is_unreadable
    from scaled
    where measurand in ('Energy.Active.Import.Register', 'Power.Active.Import', 'SoC')

)

select * from final
