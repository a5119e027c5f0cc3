"""A large feed of hourly loads, of any number of rows, without bad rows.

Numpy computes blocks of users as compact numbers; DuckDB holds, sorts and formats them and
writes one file, so that memory stays bounded whatever the number of rows.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from ev_charging.residential.charging_reports import (
    Sessions,
    neighbourhood_sessions,
)
from ev_charging.residential.hourly_loads import HourlyLoads, hourly_loads
from ev_charging.residential.local_clock import HOUR_S, LocalClock
from ev_charging.residential.neighbourhood import NOT_AVAILABLE, large_neighbourhood
from ev_charging.residential.published_format import (
    SEPARATOR,
    load_text,
    stamps,
)

FORMATS = ("csv", "parquet")
LARGEST_HOURLY_WH = 7200
_USERS_PER_BLOCK = 400
_MEMORY_LIMIT = "2GB"
_COPY_OPTIONS = {
    "csv": f"format csv, delimiter '{SEPARATOR}', header",
    "parquet": "format parquet, compression zstd",
}

# Rows are sorted as numbers and become text only afterwards, from lists of all texts.
_FEED_SQL = """
with sessions_in_order as (
    select
        session,
        user_index,
        row_number() over (order by plugin_s, user_index) as session_number
    from sessions
),

load_rows as (
    select
        loads.hour_index,
        sessions_in_order.session_number,
        sessions_in_order.user_index,
        loads.synthetic_3_6_wh,
        loads.synthetic_7_2_wh,
        loads.flex_3_6_wh,
        loads.flex_7_2_wh
    from loads
    inner join sessions_in_order on loads.session = sessions_in_order.session
),

empty_hours as (
    select unnest(range(min(hour_index), max(hour_index) + 1)) as hour_index
    from loads
    except
    select hour_index from loads
),

feed as (
    select * from load_rows
    union all by name
    select
        hour_index,
        0 as synthetic_3_6_wh,
        0 as synthetic_7_2_wh,
        0 as flex_3_6_wh,
        0 as flex_7_2_wh
    from empty_hours
    order by hour_index, session_number
    limit $rows
)

select
    getvariable('from_texts')[hour_index + 1] as date_from,
    getvariable('to_texts')[hour_index + 1] as date_to,
    coalesce(getvariable('user_texts')[user_index + 1], $not_available) as "User_ID",
    coalesce(session_number::varchar, $not_available) as "session_ID",
    getvariable('load_texts')[synthetic_3_6_wh + 1] as "Synthetic_3_6kW",
    getvariable('load_texts')[synthetic_7_2_wh + 1] as "Synthetic_7_2kW",
    getvariable('load_texts')[flex_3_6_wh + 1] as "Flex_3_6kW",
    getvariable('load_texts')[flex_7_2_wh + 1] as "Flex_7_2kW"
from feed
"""


def write_large_feed(
    folder: Path,
    rows: int,
    file_format: str,
    year: int,
    seed: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Path:
    """Write `hourly_loads.<format>` into `folder`: the first `rows` rows, ordered by hour.

    The neighbourhood is the smallest whose year has at least that many rows. All columns are
    text, in the published layout. The file appears under its name once it is complete.

    Args:
        folder: where to write; temporary files are kept in it and removed.
        rows: exact number of rows, hours without any session included, at least 1.
        file_format: `csv` or `parquet`.
        year: local calendar year of the plug-ins.
        seed: seed of the random numbers.
        on_progress: called with the number of rows computed since the last call.

    Returns:
        The path of the file.

    Raises:
        ValueError: if `rows` or `file_format` is not valid.
        RuntimeError: if the file doesn't have the rows asked for.
    """
    if rows < 1:
        raise ValueError("a feed needs at least one row")
    if file_format not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"hourly_loads.{file_format}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".hourly_loads-") as scratch:
        unfinished = Path(scratch) / path.name
        with _connection(Path(scratch)) as connection:
            clock = LocalClock.of_year(year)
            _compute(connection, clock, rows, year, seed, on_progress)
            _copy(connection, unfinished, rows, file_format)
        unfinished.replace(path)
    return path


def _connection(scratch: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        str(scratch / "loads.duckdb"),
        config={"memory_limit": _MEMORY_LIMIT, "temp_directory": str(scratch / "spill")},
    )


def _compute(
    connection: duckdb.DuckDBPyConnection,
    clock: LocalClock,
    rows: int,
    year: int,
    seed: int,
    on_progress: Callable[[int], None],
) -> None:
    """Fill the tables `sessions` and `loads`, and the lists of texts."""
    connection.execute(
        "create table sessions (session integer, user_index integer, plugin_s bigint)"
    )
    connection.execute(
        "create table loads (hour_index smallint, session integer, synthetic_3_6_wh smallint,"
        " synthetic_7_2_wh smallint, flex_3_6_wh smallint, flex_7_2_wh smallint)"
    )
    first_hour = clock.first_s // HOUR_S
    user_ids: list[str] = []
    row_count = session_count = 0
    while row_count < rows:
        users = large_neighbourhood(len(user_ids), _USERS_PER_BLOCK)
        sessions, loads = _block(len(user_ids), clock, year, seed, rows - row_count)
        _insert(connection, sessions, loads, session_count, first_hour)
        user_ids += [user.user_id for user in users]
        session_count += len(sessions)
        row_count += len(loads)
        on_progress(len(loads))

    hour_starts_s = clock.first_s + np.arange(len(clock.offsets_s)) * HOUR_S
    texts = {
        "from_texts": stamps(clock.local_seconds(hour_starts_s)),
        "to_texts": stamps(clock.local_seconds(hour_starts_s + HOUR_S)),
        "load_texts": [load_text(wh) for wh in range(LARGEST_HOURLY_WH + 1)],
        "user_texts": user_ids,
    }
    for name, values in texts.items():
        connection.execute(f"set variable {name} = $values", {"values": values})


def _block(
    first_user: int, clock: LocalClock, year: int, seed: int, rows_wanted: int
) -> tuple[Sessions, HourlyLoads]:
    """Return sessions and loads of the next users, of no more users than the rows need."""
    users = large_neighbourhood(first_user, _USERS_PER_BLOCK)
    # User by user, as each has a charge point of their own.
    sessions = neighbourhood_sessions(users, clock, year, seed, first_index=first_user)
    loads = hourly_loads(
        sessions.plugin_s, sessions.energy_wh, sessions.reported_duration_s, clock.lost_hours()
    )
    rows_up_to_user = np.cumsum(np.bincount(sessions.user[loads.session] - first_user))
    last_user = first_user + int(np.searchsorted(rows_up_to_user, rows_wanted))
    needed = loads.take(sessions.user[loads.session] <= last_user)
    return sessions.take(sessions.user <= last_user), needed


def _insert(
    connection: duckdb.DuckDBPyConnection,
    sessions: Sessions,
    loads: HourlyLoads,
    first_session: int,
    first_hour: int,
) -> None:
    session_frame = pd.DataFrame(
        {
            "session": first_session + np.arange(len(sessions)),
            "user_index": sessions.user,
            "plugin_s": sessions.plugin_s,
        }
    )
    load_frame = pd.DataFrame(
        {
            "hour_index": (loads.hour - first_hour).astype(np.int16),
            "session": (first_session + loads.session).astype(np.int32),
            "synthetic_3_6_wh": loads.synthetic_3_6_wh.astype(np.int16),
            "synthetic_7_2_wh": loads.synthetic_7_2_wh.astype(np.int16),
            "flex_3_6_wh": loads.flex_3_6_wh.astype(np.int16),
            "flex_7_2_wh": loads.flex_7_2_wh.astype(np.int16),
        }
    )
    for table, frame in (("sessions", session_frame), ("loads", load_frame)):
        connection.register("block", frame)
        connection.execute(f"insert into {table} select * from block")
        connection.unregister("block")


def _copy(connection: duckdb.DuckDBPyConnection, path: Path, rows: int, file_format: str) -> None:
    target = str(path).replace("'", "''")
    feed = connection.execute(
        f"copy ({_FEED_SQL}) to '{target}' ({_COPY_OPTIONS[file_format]})",
        {"rows": rows, "not_available": NOT_AVAILABLE},
    )
    written = feed.fetchone()[0]
    if written != rows:
        raise RuntimeError(f"wrote {written} rows of the feed instead of {rows}")
