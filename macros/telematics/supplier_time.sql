{#- Times of suppliers. Without an offset a text shows a time on the clock that the var telematics_suppliers has for its supplier;
    with one it is an instant for all of them. -#}

{#- The time on the supplier's clock that a text without an offset shows; NULL where the clock is UTC, and to_iso_instant tells
    the instant. -#}
{% macro supplier_clock_time(text, supplier) -%}
    case
        when {{ is_of_supplier(supplier, supplier_clocks().values() | sum(start=[])) }} then {{ to_iso_local_time(text) }}
    end
{%- endmacro %}


{#- The UTC instant of a text, of the two of a repeated time the earlier. clock_time is the result of supplier_clock_time. -#}
{% macro supplier_instant(text, clock_time, supplier) -%}
    case
        when {{ clock_time }} is null then {{ to_iso_instant(text) }}
        {%- for time_zone, names in supplier_clocks().items() %}
        when {{ is_of_supplier(supplier, names) }} then {{ clock_to_utc(clock_time, time_zone) }}
        {%- endfor %}
    end
{%- endmacro %}


{#- clock_set_back_minutes of such a clock time; 0 where it is NULL. -#}
{% macro supplier_set_back_minutes(clock_time, supplier) -%}
    case
        when {{ clock_time }} is null then 0
        {%- for time_zone, names in supplier_clocks().items() %}
        when {{ is_of_supplier(supplier, names) }} then {{ clock_set_back_minutes(clock_time, time_zone) }}
        {%- endfor %}
    end
{%- endmacro %}


{#- The end of what began at an instant: the later one of a repeated time where the earlier would be before the begin. -#}
{% macro supplier_end(earliest_end, set_back_minutes, start) -%}
    case
        when {{ set_back_minutes }} > 0 and {{ earliest_end }} < {{ start }}
            then {{ earliest_end }} + interval 1 minute * {{ set_back_minutes }}
        else {{ earliest_end }}
    end
{%- endmacro %}


{#- Whether begin or end could also be the later one of a repeated time: the end where the earlier one is not before the begin, the
    begin where the later one is not behind the latest end. Reads the columns earliest_ and set_back_ of started_at and ended_at. -#}
{% macro supplier_time_is_ambiguous() -%}
    (
        (set_back_ended_at > 0 and earliest_ended_at >= earliest_started_at)
        or (
            set_back_started_at > 0
            and coalesce(
                earliest_started_at + interval 1 minute * set_back_started_at
                <= earliest_ended_at + interval 1 minute * greatest(set_back_ended_at, 0),
                true
            )
        )
    )
{%- endmacro %}


{#- The time zones of suppliers whose clock is not UTC, each with its suppliers. -#}
{% macro supplier_clocks() %}
    {%- set clocks = {} -%}
    {%- for name, units in var('telematics_suppliers').items() if units.time_zone != 'UTC' -%}
        {%- do clocks.setdefault(units.time_zone, []).append(name) -%}
    {%- endfor -%}
    {{ return(clocks) }}
{% endmacro %}
