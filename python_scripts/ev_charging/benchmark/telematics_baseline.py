"""A scan of driving and charging logs with one window over them, as bare as DuckDB does it.

Run as ``python -m ev_charging.benchmark.telematics_baseline DRIVES CHARGES COLUMNS THREADS MEM``:
every drive and charge with the end of the one before of its vehicle, in order of time, stored as a
table, without checks and without crossing anything. COLUMNS is ``all``, or ``times`` for vehicles
and times alone. Prints the number of rows.
"""

import sys
import tempfile
from pathlib import Path

import duckdb

_TIMES = "cast(started_at as timestamp) as started_at, cast(ended_at as timestamp) as ended_at"
_COLUMNS = {"all": f"* replace ({_TIMES})", "times": f"vehicle_id, {_TIMES}"}


def main(drives: str, charges: str, columns: str, threads: str, memory: str) -> None:
    """Run the pass beside a database of its own, which is thrown away."""
    with (
        tempfile.TemporaryDirectory(dir=Path(drives).parent) as scratch,
        duckdb.connect(str(Path(scratch) / "scan.duckdb")) as connection,
    ):
        connection.execute(f"set threads = {int(threads)}")
        connection.execute("set memory_limit = ?", [memory])
        connection.execute(
            f"""
            create table records as
            with delivered as (
                select {_COLUMNS[columns]} from read_parquet($drives)
                union all by name
                select {_COLUMNS[columns]} from read_parquet($charges)
            )
            select
                *,
                lag(ended_at) over (partition by vehicle_id order by started_at) as last_ended_at
            from delivered
            """,
            {"drives": drives, "charges": charges},
        )
        print(connection.execute("select count(*) from records").fetchone()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
