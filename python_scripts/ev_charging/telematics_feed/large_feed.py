"""Any number of vehicles as files, with the truth beside them.

Blocks of vehicles are simulated by several processes, and each writes what it computes at once, so
that memory stays bounded whatever the size. The files are the same for any number of processes.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from ev_charging.feed_files import FORMATS
from ev_charging.telematics_feed.delivery import Run, delivered
from ev_charging.telematics_feed.identifiers import MOST_NUMBERS
from ev_charging.telematics_feed.tables import FEEDS, TRUTH, relation

DEFAULT_START, DEFAULT_DAYS, DEFAULT_VEHICLES = date(2025, 6, 1), 30, 1000
MOST_VEHICLES = MOST_NUMBERS
_BLOCK_VEHICLE_DAYS = 150_000
_MEMORY_LIMIT = "1GB"
_COPY_OPTIONS = {
    "csv": "format csv, header",
    "parquet": "format parquet, compression zstd",
}


@dataclass(frozen=True)
class _Block:
    """Vehicles that one process simulates, and the folder for what it computes."""

    run: Run
    number: int
    vehicles: range
    folder: Path


def write_run(
    run: Run,
    folder: Path,
    file_format: str,
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[Path, int]:
    """Write the four feeds and the truth into `folder`, which is created if missing.

    Columns of feeds are text, without bad rows; the truth is typed and always Parquet. Each file
    appears under its name once it is complete.

    Args:
        run: the run.
        folder: where to write; temporary files are kept in it and removed.
        file_format: `csv` or `parquet`, for the feeds.
        on_progress: called with the number of vehicles computed since the last call.

    Returns:
        The number of rows of each file.

    Raises:
        ValueError: if the size, the period or the format isn't possible.
    """
    _check(run, file_format)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".telematics-") as name:
        scratch = Path(name)
        for vehicles in _computed(_blocks(run, scratch)):
            on_progress(vehicles)
        with _connection(scratch) as connection:
            return {
                path: _join_parts(connection, scratch, table, path)
                for table, path in _paths(folder, file_format)
            }


def _check(run: Run, file_format: str) -> None:
    if file_format not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}")
    if not 1 <= run.vehicles <= MOST_VEHICLES:
        raise ValueError(f"a run has 1 to {MOST_VEHICLES:,} vehicles, not {run.vehicles:,}")
    if run.days < 1:
        raise ValueError("a run needs at least one day")
    if run.first_day.year < 1980 or run.first_day > date(9000, 1, 1):
        raise ValueError("the first day must lie between 1980 and 9000")


def _blocks(run: Run, scratch: Path) -> list[_Block]:
    step = max(_BLOCK_VEHICLE_DAYS // run.days, 1)
    return [
        _Block(run, number, range(first, min(first + step, run.vehicles)), scratch)
        for number, first in enumerate(range(0, run.vehicles, step))
    ]


def _computed(blocks: list[_Block]) -> Iterator[int]:
    """Compute blocks and yield how many vehicles each has, in order."""
    workers = min(os.cpu_count() or 1, len(blocks))
    if workers == 1:
        yield from map(_compute, blocks)
        return
    # A process that is forked could inherit locks that nobody releases.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(_compute, blocks)


def _compute(block: _Block) -> int:
    """Simulate the vehicles of a block and write their rows."""
    tables = delivered(block.run, block.vehicles)
    with _connection(block.folder) as connection:
        for table, rows in tables.items():
            path = block.folder / f"{table}-{block.number:06}.parquet"
            relation(connection, table, rows).write_parquet(str(path))
    return len(block.vehicles)


def _connection(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={"memory_limit": _MEMORY_LIMIT, "temp_directory": str(folder / "spill")}
    )
    # The caller shows the progress.
    connection.execute("set enable_progress_bar = false")
    return connection


def _paths(folder: Path, file_format: str) -> list[tuple[str, Path]]:
    feeds = [(table, folder / f"{table}.{file_format}") for table in FEEDS]
    return feeds + [(table, folder / f"{table}.parquet") for table in TRUTH]


def _join_parts(
    connection: duckdb.DuckDBPyConnection, scratch: Path, table: str, path: Path
) -> int:
    """Write the parts of a table, one after the other, as one file; return its rows."""
    parts = [str(part) for part in sorted(scratch.glob(f"{table}-*.parquet"))]
    unfinished = scratch / path.name
    target = str(unfinished).replace("'", "''")
    options = _COPY_OPTIONS[path.suffix[1:]]
    written = connection.execute(
        f"copy (from read_parquet($parts)) to '{target}' ({options})", {"parts": parts}
    )
    rows = written.fetchone()[0]
    unfinished.replace(path)
    return rows
