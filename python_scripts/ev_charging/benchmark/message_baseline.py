"""A scan of a message file with one window pass over it, as bare as DuckDB does it.

Run as ``python -m ev_charging.benchmark.message_baseline FILE THREADS MEMORY COLUMNS``: every
message with the time of the message before from its charger, stored as a table. COLUMNS is ``all``,
or ``times`` for charger and time alone. Prints the number of rows.
"""

import sys
import tempfile
from pathlib import Path

import duckdb

COLUMNS = {"all": "*", "times": "charger_id, received_at"}


def main(file: str, threads: str, memory: str, columns: str) -> None:
    """Run the pass in a database of its own, which is thrown away."""
    with (
        tempfile.TemporaryDirectory(dir=Path(file).parent) as scratch,
        duckdb.connect(str(Path(scratch) / "scan.duckdb")) as connection,
    ):
        connection.execute(f"set threads = {int(threads)}")
        connection.execute("set memory_limit = ?", [memory])
        connection.execute(
            f"""
            create table messages as
            select
                {COLUMNS[columns]},
                lag(received_at) over (partition by charger_id order by received_at) as last_at
            from read_parquet(?)
            """,
            [file],
        )
        print(connection.execute("select count(*) from messages").fetchone()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
