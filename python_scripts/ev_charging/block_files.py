"""Files too large for memory, computed in blocks by several processes.

Each block writes its part of every table at once; the parts are then joined to one file per table,
which appears under its name once it is complete. The files are the same for any number of
processes.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import duckdb

from ev_charging.feed_files import COPY_OPTIONS

_MEMORY_LIMIT = "1GB"
Block = TypeVar("Block")
Result = TypeVar("Result")


def computed(compute: Callable[[Block], Result], blocks: Sequence[Block]) -> Iterator[Result]:
    """Compute blocks by as many processes as there are cores, and yield their results in order.

    Args:
        compute: a function of a module, so that another process can import it.
        blocks: what each of its calls takes.
    """
    workers = min(os.cpu_count() or 1, len(blocks))
    if workers == 1:
        yield from map(compute, blocks)
        return
    # A process that is forked could inherit locks that nobody releases.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(compute, blocks)


def scratch_connection(scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that spills into the folder of the parts."""
    connection = duckdb.connect(
        config={"memory_limit": _MEMORY_LIMIT, "temp_directory": str(scratch / "spill")}
    )
    # The caller shows the progress.
    connection.execute("set enable_progress_bar = false")
    return connection


def write_part(rows: duckdb.DuckDBPyRelation, scratch: Path, table: str, number: int) -> None:
    """Write what block `number` has of a table."""
    rows.write_parquet(str(scratch / f"{table}-{number:06}.parquet"))


def join_parts(
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
    folder: Path,
    feeds: Iterable[str],
    truth: Iterable[str],
    file_format: str,
) -> dict[Path, int]:
    """Write the parts of each table, one after the other, as one file.

    Args:
        connection: from `scratch_connection`.
        scratch: where the parts are, on the disk of `folder`.
        folder: where the files go.
        feeds: tables in the format of the feeds.
        truth: tables in Parquet.
        file_format: `csv` or `parquet`, for the feeds.

    Returns:
        The number of rows of each file.
    """
    formats = [(table, file_format) for table in feeds] + [(table, "parquet") for table in truth]
    return {
        folder / f"{table}.{suffix}": _join(connection, scratch, folder, table, suffix)
        for table, suffix in formats
    }


def _join(
    connection: duckdb.DuckDBPyConnection, scratch: Path, folder: Path, table: str, suffix: str
) -> int:
    parts = [str(part) for part in sorted(scratch.glob(f"{table}-*.parquet"))]
    unfinished = scratch / f"{table}.{suffix}"
    target = str(unfinished).replace("'", "''")
    written = connection.execute(
        f"copy (from read_parquet($parts)) to '{target}' ({COPY_OPTIONS[suffix]})",
        {"parts": parts},
    )
    rows = written.fetchone()[0]
    unfinished.replace(folder / unfinished.name)
    return rows
