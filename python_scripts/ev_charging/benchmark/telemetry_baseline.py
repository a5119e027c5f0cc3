"""A scan of a telemetry file with one window over it, as bare as DuckDB and pandas do it.

Run as ``python -m ev_charging.benchmark.telemetry_baseline FILE ENGINE COLUMNS THREADS MEMORY``:
every row with the end of the row before of its user, in order of time, without checks and without
sessions. ENGINE is ``duckdb``, which stores the rows as a table, or ``pandas``, which keeps them in
memory. COLUMNS is ``all``, or ``times`` for users and times alone. Prints the number of rows.
"""

import sys
import tempfile
from pathlib import Path

import duckdb

_TIMES = "cast(starts_at as timestamp) as starts_at, cast(ends_at as timestamp) as ends_at"
_COLUMNS = {"all": f"* replace ({_TIMES})", "times": f"run_id, user_id, {_TIMES}"}


def scan_with_duckdb(connection: duckdb.DuckDBPyConnection, file: str, columns: str) -> int:
    """Store the rows as a table; returns their number."""
    connection.execute(
        f"""
        create table telemetry as
        with typed as (select {_COLUMNS[columns]} from read_parquet(?))
        select
            *,
            lag(ends_at) over (partition by run_id, user_id order by starts_at) as last_ended_at
        from typed
        """,
        [file],
    )
    return connection.execute("select count(*) from telemetry").fetchone()[0]


def scan_with_pandas(connection: duckdb.DuckDBPyConnection, file: str, columns: str) -> int:
    """Keep the rows in memory; returns their number."""
    query = f"select {_COLUMNS[columns]} from read_parquet(?)"
    telemetry = connection.execute(query, [file]).df()
    telemetry = telemetry.sort_values(["run_id", "user_id", "starts_at"])
    telemetry["last_ended_at"] = telemetry.groupby(["run_id", "user_id"])["ends_at"].shift()
    return len(telemetry)


_SCANS = {"duckdb": scan_with_duckdb, "pandas": scan_with_pandas}


def main(file: str, engine: str, columns: str, threads: str, memory: str) -> None:
    """Run the pass beside a database of its own, which is thrown away."""
    with (
        tempfile.TemporaryDirectory(dir=Path(file).parent) as scratch,
        duckdb.connect(str(Path(scratch) / "scan.duckdb")) as connection,
    ):
        connection.execute(f"set threads = {int(threads)}")
        connection.execute("set memory_limit = ?", [memory])
        print(_SCANS[engine](connection, file, columns))


if __name__ == "__main__":
    main(*sys.argv[1:])
