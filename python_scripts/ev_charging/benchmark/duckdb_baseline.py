"""The KPIs of an hourly-load file in one hand-written DuckDB query without any checks.

Run as ``python -m ev_charging.benchmark.duckdb_baseline FILE THREADS MEMORY [sums]``; prints one
JSON row per load profile with the columns of load.load_kpis that it computes. With ``sums`` it
leaves out users and coincidence factor, which need the load of every user in every hour.
"""

import json
import sys

import duckdb

PROFILES = {
    "synthetic_3_6": "Synthetic_3_6kW",
    "synthetic_7_2": "Synthetic_7_2kW",
    "flex_3_6": "Flex_3_6kW",
    "flex_7_2": "Flex_7_2kW",
}
COLUMNS = (
    "load_profile",
    "days",
    "users",
    "charging_sessions",
    "total_energy_kwh",
    "avg_daily_energy_kwh",
    "avg_daily_energy_last_7_days_kwh",
    "peak_daily_energy_kwh",
    "peak_hourly_load_kwh",
    "avg_active_charging_hours_per_day",
    "coincidence_factor",
)


def source(file: str) -> str:
    """The file as a typed relation, as an analyst would write it."""
    if file.endswith(".parquet"):
        energies = ", ".join(
            f"cast(replace(nullif({column}, 'NA'), ',', '.') as decimal(18, 6)) as {column}"
            for column in PROFILES.values()
        )
        return f"""(
            select
                strptime(date_from, '%d.%m.%Y %H:%M') as date_from, "User_ID",
                nullif("session_ID", 'NA') as "session_ID", {energies}
            from read_parquet('{file}')
        )"""
    energies = ", ".join(f"'{column}': 'DECIMAL(18,6)'" for column in PROFILES.values())
    return f"""read_csv(
        '{file}', delim = ';', header = true, nullstr = 'NA', decimal_separator = ',',
        timestampformat = '%d.%m.%Y %H:%M', columns = {{
            'date_from': 'TIMESTAMP', 'date_to': 'TIMESTAMP',
            'User_ID': 'VARCHAR', 'session_ID': 'VARCHAR', {energies}
        }})"""


def query(file: str, with_users: bool = True) -> str:
    """The KPIs of the file in one query."""
    names = ", ".join(PROFILES)
    sums = ", ".join(f"sum({column}) as {name}" for name, column in PROFILES.items())
    peaks = ", ".join(f"max({name}) as {name}" for name in PROFILES)
    users = f"""
        unpivot (
            select "User_ID", {peaks}
            from (select "User_ID", date_from, {sums} from loads group by all) group by "User_ID"
        ) on {names} into name load_profile value peak
    """
    if not with_users:
        users = "select load_profile, null as peak from hourly group by all"
    return f"""
    with loads as (select * from {source(file)} where "session_ID" is not null),
    hourly as (
        unpivot (select date_from, {sums} from loads group by date_from)
        on {names} into name load_profile value energy
    ),
    sessions as (
        unpivot (select "session_ID", {sums} from loads group by "session_ID")
        on {names} into name load_profile value energy
    ),
    users as ({users}),
    daily as (
        select
            load_profile, cast(date_from as date) as day, sum(energy) as energy,
            count_if(energy > 0) as active
        from hourly group by all
    ),
    days as (
        select
            load_profile, max(day) as last_day, date_diff('day', min(day), max(day)) + 1 as days,
            sum(energy) as total, max(energy) as peak, sum(active) as active
        from daily group by all
    ),
    last_week as (
        select load_profile, sum(energy) / 7 as mean
        from daily join days using (load_profile) where day > last_day - 7 group by all
    ),
    peak_hours as (select load_profile, max(energy) as peak_hour from hourly group by all),
    session_counts as (
        select load_profile, count(*) as sessions from sessions where energy > 0 group by all
    ),
    user_counts as (
        select load_profile, count_if(peak > 0) as users, sum(peak) as peaks from users group by all
    )
    select
        load_profile, days, users, sessions, total, total / days, mean, peak, peak_hour,
        active / days, peak_hour / peaks
    from days
    join last_week using (load_profile)
    join peak_hours using (load_profile)
    join session_counts using (load_profile)
    join user_counts using (load_profile)
    order by load_profile
    """


def main(file: str, threads: str, memory_limit: str, kpis: str = "all") -> None:
    """Run the query with the given threads and memory limit and print its rows."""
    config = {"threads": threads, "memory_limit": memory_limit}
    with duckdb.connect(config=config) as connection:
        for row in connection.execute(query(file, with_users=kpis == "all")).fetchall():
            values = [value if isinstance(value, str) else float(value or 0) for value in row]
            print(json.dumps(dict(zip(COLUMNS, values, strict=True))))


if __name__ == "__main__":
    main(*sys.argv[1:])
