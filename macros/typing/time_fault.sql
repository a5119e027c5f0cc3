{#- Why the text of a local time is refused: not_a_time, or time_out_of_range (before the var earliest_date, or after the
    day as_of; the end of an hour may be the midnight that ends that day); NULL where it is fine or missing. typed is the
    result of to_local_time. column names the feed's column where the text is only a part of it. -#}
{% macro time_fault(text, typed, is_end_of_hour=false, column=none) -%}
    case
        when {{ typed }} is null and not {{ is_missing(text) }} then 'not_a_time:{{ column or text }}'
        when
            {{ typed }} < cast('{{ var("earliest_date") }}' as timestamp)
            or {{ typed }} {{ '>' if is_end_of_hour else '>=' }} cast('{{ var("as_of") }}' as timestamp) + interval 1 day
            then 'time_out_of_range:{{ column or text }}'
    end
{%- endmacro %}
