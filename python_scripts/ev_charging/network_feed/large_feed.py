"""A network of any size as files, with the truth beside them.

Blocks of sites are simulated by several processes, and each writes what it computes at once, so
that memory stays bounded whatever the size. The files are the same for any number of processes.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import ceil
from pathlib import Path

from ev_charging.block_files import computed, join_parts, scratch_connection, write_part
from ev_charging.feed_files import FORMATS
from ev_charging.network_feed.layout import STATIONS_PER_SITE, site_of
from ev_charging.network_feed.network import network_part
from ev_charging.network_feed.tables import FEEDS, TRUTH, relation
from ev_charging.network_feed.truth import PortSpans, outage_rows

DEFAULT_START, DEFAULT_DAYS, DEFAULT_STATIONS = date(2024, 10, 1), 90, 100
MOST_STATIONS = 1_000_000
MESSAGES_PER_STATION_AND_DAY = 170
_OUTAGES = "truth_outages"
_BLOCK_STATION_DAYS = 1000


@dataclass(frozen=True)
class NetworkSize:
    """What a large network consists of.

    Attributes:
        stations: number of stations.
        first_day: first day of the messages (UTC).
        days: number of days.
        seed: seed of the random numbers.
        is_damaged: whether messages are damaged.
    """

    stations: int = DEFAULT_STATIONS
    first_day: date = DEFAULT_START
    days: int = DEFAULT_DAYS
    seed: int = 42
    is_damaged: bool = True


@dataclass(frozen=True)
class _Block:
    """Sites that one process simulates, and the folder for what it computes."""

    size: NetworkSize
    number: int
    sites: range
    folder: Path


@dataclass(frozen=True)
class _Summary:
    """What is needed of a block to tell the outages."""

    ports: list[PortSpans]
    heard: tuple[int, int] | None
    stations: int


def stations_for(messages: int, days: int) -> int:
    """Return how many stations send about so many messages in so many days."""
    return max(round(messages / days / MESSAGES_PER_STATION_AND_DAY), 1)


def write_network(
    size: NetworkSize,
    folder: Path,
    file_format: str,
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[Path, int]:
    """Write the six feeds and the truth into `folder`, which is created if missing.

    Columns of feeds are text, without bad rows; the truth is typed and always Parquet. Each file
    appears under its name once it is complete.

    Args:
        size: the network.
        folder: where to write; temporary files are kept in it and removed.
        file_format: `csv` or `parquet`, for the feeds.
        on_progress: called with the number of stations computed since the last call.

    Returns:
        The number of rows of each file.

    Raises:
        ValueError: if the size, the period or the format isn't possible.
    """
    _check(size, file_format)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".network-") as name:
        scratch = Path(name)
        ports: list[PortSpans] = []
        heard = []
        for summary in computed(_compute, _blocks(size, scratch)):
            ports += summary.ports
            heard += [] if summary.heard is None else [summary.heard]
            on_progress(summary.stations)
        with scratch_connection(scratch) as connection:
            if heard:
                observed = min(first for first, _ in heard), max(last for _, last in heard)
                outages = outage_rows(ports, observed)
            else:
                outages = []
            write_part(relation(connection, _OUTAGES, outages), scratch, _OUTAGES, 0)
            return join_parts(connection, scratch, folder, FEEDS, TRUTH, file_format)


def _check(size: NetworkSize, file_format: str) -> None:
    if file_format not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}")
    if not 1 <= size.stations <= MOST_STATIONS:
        raise ValueError(f"a network has 1 to {MOST_STATIONS:,} stations, not {size.stations:,}")
    if size.days < 1:
        raise ValueError("a network needs at least one day")
    if size.first_day.year < 1971 or size.first_day > date(9000, 1, 1):
        raise ValueError("the first day must lie between 1971 and 9000")


def _blocks(size: NetworkSize, scratch: Path) -> list[_Block]:
    sites = ceil(size.stations / STATIONS_PER_SITE)
    step = max(_BLOCK_STATION_DAYS // size.days // STATIONS_PER_SITE, 1)
    return [
        _Block(size, number, range(first, min(first + step, sites)), scratch)
        for number, first in enumerate(range(0, sites, step))
    ]


def _compute(block: _Block) -> _Summary:
    """Simulate the sites of a block and write its rows."""
    size = block.size
    sites = [
        site_of(number, size.stations, size.seed, size.first_day, size.days)
        for number in block.sites
    ]
    part = network_part(sites, size.first_day, size.days, size.seed, float(size.is_damaged))
    with scratch_connection(block.folder) as connection:
        for table in (*FEEDS, *TRUTH):
            if table != _OUTAGES:
                rows = part.rows.get(table, [])
                write_part(relation(connection, table, rows), block.folder, table, block.number)
    return _Summary(part.ports, part.heard, sum(len(site.stations) for site in sites))
