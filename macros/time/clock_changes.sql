{#- When the clock of a time zone is changed, from the var earliest_date to as_of: {minutes, changes}. minutes is how far the
    clock is ahead of UTC before the first change; changes, the newest first, are {begins_at, ends_at, minutes_before,
    minutes_after}, of which the first two bound the time on the clock that was skipped or repeated. Looked up once, when a model is
    compiled: to ask the time-zone database about every row costs as much as reading it. -#}
{% macro clock_changes(time_zone) %}
    {%- set query -%}
        with

        days as (

            select
                utc_at,
                {{ to_local('utc_at', time_zone) }} - utc_at as distance,
                {{ to_local('(utc_at + interval 1 day)', time_zone) }} - utc_at - interval 1 day as next_distance
            from (
                select unnest(generate_series(
                    cast('{{ var("earliest_date") }}' as timestamp) - interval 1 day,
                    cast('{{ var("as_of") }}' as timestamp) + interval 1 day,
                    interval 1 day
                )) as utc_at
            )

        ),

        quarters as (

            select unnest(generate_series(utc_at + interval 15 minute, utc_at + interval 1 day, interval 15 minute)) as utc_at
            from days
            where distance <> next_distance

        ),

        changes as (

            select
                utc_at,
                cast({{ minutes_between(
                    '(utc_at - interval 15 minute)', to_local('(utc_at - interval 15 minute)', time_zone)
                ) }} as integer) as minutes_before,
                cast({{ minutes_between('utc_at', to_local('utc_at', time_zone)) }} as integer) as minutes_after
            from quarters

            union all

            select
                utc_at,
                null as minutes_before,
                cast(extract(epoch from distance) / 60 as integer) as minutes_after
            from (select * from days order by utc_at limit 1)

        )

        select
            strftime(utc_at + least(minutes_before, minutes_after) * interval 1 minute, '%Y-%m-%d %H:%M:%S'),
            strftime(utc_at + greatest(minutes_before, minutes_after) * interval 1 minute, '%Y-%m-%d %H:%M:%S'),
            minutes_before,
            minutes_after
        from changes
        where minutes_before is distinct from minutes_after
        order by utc_at desc
    {%- endset -%}
    {%- set changes = [] -%}
    {%- for row in (run_query(query).rows if execute else []) -%}
        {%- do changes.append({'begins_at': row[0], 'ends_at': row[1], 'minutes_before': row[2], 'minutes_after': row[3]}) -%}
    {%- endfor -%}
    {%- set first = changes.pop() if changes else {'minutes_after': 0} -%}
    {{ return({'minutes': first.minutes_after | int, 'changes': changes}) }}
{% endmacro %}
