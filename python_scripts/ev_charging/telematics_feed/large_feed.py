"""Any number of vehicles as files, with the truth beside them.

Blocks of vehicles are simulated by several processes, and each writes what it computes at once, so
that memory stays bounded whatever the size. The files are the same for any number of processes.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ev_charging.block_files import computed, join_parts, scratch_connection, write_part
from ev_charging.feed_files import FORMATS
from ev_charging.telematics_feed.delivery import Run, delivered
from ev_charging.telematics_feed.identifiers import MOST_NUMBERS
from ev_charging.telematics_feed.tables import FEEDS, TRUTH, relation

DEFAULT_START, DEFAULT_DAYS, DEFAULT_VEHICLES = date(2025, 6, 1), 30, 1000
MOST_VEHICLES = MOST_NUMBERS
_BLOCK_VEHICLE_DAYS = 150_000


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
        for vehicles in computed(_compute, _blocks(run, scratch)):
            on_progress(vehicles)
        with scratch_connection(scratch) as connection:
            return join_parts(connection, scratch, folder, FEEDS, TRUTH, file_format)


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


def _compute(block: _Block) -> int:
    """Simulate the vehicles of a block and write their rows."""
    tables = delivered(block.run, block.vehicles)
    with scratch_connection(block.folder) as connection:
        for table, rows in tables.items():
            write_part(relation(connection, table, rows), block.folder, table, block.number)
    return len(block.vehicles)
