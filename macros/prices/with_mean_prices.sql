{#- The rows of a relation with what energy that is spread evenly over their span of time costs per MWh, and its carbon per
    kWh: the columns mean_price_eur_per_mwh and mean_gco2_per_kwh. NULL unless every minute of the span has
    its value; a span that ends when it begins takes the value of that instant. The integrals of int_prices__intervals are
    read at both ends, so that a span costs two look-ups, however long it is. -#}
{% macro with_mean_prices(relation, zone, from_at, to_at) -%}
{%- set ends = {'first': from_at, 'last': to_at} -%}
{%- set columns = [
    'price_eur_per_mwh', 'price_minutes_before', 'priced_minutes_before',
    'gco2_per_kwh', 'gco2_minutes_before', 'carbon_minutes_before',
] -%}
(
    select
        * exclude (
            {%- for side in ends %}
            {%- for column in ['seconds'] + columns %}
            {{ side }}_{{ column }},
            {%- endfor %}
            {%- endfor %}
            span_seconds,
            begins_in_interval
        ),
        {{ mean_of_span('price_eur_per_mwh', 'price_minutes', 'priced_minutes') }} as mean_price_eur_per_mwh,
        {{ mean_of_span('gco2_per_kwh', 'gco2_minutes', 'carbon_minutes') }} as mean_gco2_per_kwh
    from (
        select
            span.*,
            {{ seconds_between('span.' ~ from_at, 'span.' ~ to_at) }} as span_seconds,
            span.{{ from_at }} < first_interval.ends_at as begins_in_interval,
            {%- for side, instant in ends.items() %}
            least(
                {{ seconds_between(side ~ '_interval.starts_at', 'span.' ~ instant) }},
                {{ side }}_interval.minutes * 60
            ) as {{ side }}_seconds,
            {%- for column in columns %}
            {{ side }}_interval.{{ column }} as {{ side }}_{{ column }}{% if not loop.last %},{% endif %}
            {%- endfor %}
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        from {{ relation }} as span
        {{ join_latest(ref('int_prices__intervals'), 'first_interval', 'price_zone', 'span.' ~ zone, 'starts_at', 'span.' ~ from_at) }}
        {{ join_latest(ref('int_prices__intervals'), 'last_interval', 'price_zone', 'span.' ~ zone, 'starts_at', 'span.' ~ to_at) }}
    )
)
{%- endmacro %}


{#- The mean of a value over a span, from its integral and from the minutes in which it is known, at both ends. A product of
    decimals of up to 18 digits has 18 digits in DuckDB and would overflow: values are made wider first. -#}
{% macro mean_of_span(value, integral, known_minutes) -%}
    cast(case
        when span_seconds = 0 and begins_in_interval then first_{{ value }}
        when
            span_seconds > 0
            and {{ seconds_so_far('last', value, known_minutes) }} - {{ seconds_so_far('first', value, known_minutes) }} = span_seconds
            then (
                (last_{{ integral }}_before - first_{{ integral }}_before) * 60
                + cast(coalesce(last_{{ value }}, 0) as decimal(19, 4)) * last_seconds
                - cast(coalesce(first_{{ value }}, 0) as decimal(19, 4)) * first_seconds
            ) / span_seconds
    end as decimal(18, 6))
{%- endmacro %}


{#- Seconds in which a value is known, from the first interval of the zone to one end of the span. -#}
{% macro seconds_so_far(side, value, known_minutes) -%}
    ({{ side }}_{{ known_minutes }}_before * 60 + case when {{ side }}_{{ value }} is null then 0 else {{ side }}_seconds end)
{%- endmacro %}
