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
        -- some chargers name these where there is no transaction
        and transaction_id not in ('0', '-1')

),

sampled as (

    select
        * exclude (meter_value),
        {{ to_iso_instant('meter_value.timestamp') }} as stamped_at,
        unnest(meter_value.sampledValue) as sample
    from messages

),

measured as (

    select
        * exclude (sample),
        coalesce({{ clean_text('sample.measurand') }}, 'Energy.Active.Import.Register') as measurand,
        lower(coalesce({{ clean_text('sample.unit') }}, {{ clean_text('sample.unitOfMeasure.unit') }}, '')) as unit,
        {{ clean_text('sample.value') }} as value_text,
        {{ to_decimal("trim(sample.value)", 18, 3) }} as value,
        coalesce(try_cast(sample.unitOfMeasure.multiplier as integer), 0) as multiplier
    from sampled
    where
        coalesce({{ clean_text('sample.phase') }}, '') = ''
        and coalesce({{ clean_text('sample.location') }}, 'Outlet') = 'Outlet'

),

scaled as (

    select
        * replace (
            try_cast(
                cast(value as double) * power(10, multiplier) * case when unit in ('kwh', 'kw') then 1000 else 1 end
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
        coalesce(stamped_at + interval 1 second * clock_seconds, occurred_at) as read_at,
        measurand,

        -- measures
        value,

        -- flags
        coalesce(value < 0, true) as is_unreadable
    from scaled
    where measurand in ('Energy.Active.Import.Register', 'Power.Active.Import', 'SoC')

)

select * from final
