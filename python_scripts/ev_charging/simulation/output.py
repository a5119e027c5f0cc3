"""A run as files: the seven feeds, the prices and the manifest in one folder.

The days are kept as compact numbers while they are simulated. DuckDB turns them into text and
writes each feed as one file, so that memory stays bounded whatever the number of drivers.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from ev_charging.feed_files import FORMATS, write_feed
from ev_charging.market.prices import DECIMALS
from ev_charging.simulation.manifest import MANIFEST_FILE, manifest, write_manifest
from ev_charging.simulation.run import Run
from ev_charging.simulation.simulator import Fleet
from ev_charging.simulation.tables import FEEDS, feed_name, frame_of, text_query

_PRICES = "market__prices"
_MEMORY_LIMIT = "2GB"
# Columns with more different texts than this are smaller, and written faster, without a dictionary.
_COPY_OPTIONS = {
    "csv": "format csv, header",
    "parquet": "format parquet, compression zstd, dictionary_size_limit 5000",
}
# Numbers of a day seldom repeat, and looking for it takes half the time.
_STAGED = "format parquet, dictionary_size_limit 1"


def refuse_other_run(folder: Path) -> None:
    """Refuse a folder with files of a run in it.

    Raises:
        FileExistsError: there is one; the message names it.
    """
    old = _files_of_a_run(folder)
    if old:
        raise FileExistsError(f"{folder} holds a run already: {old[0].name}")


def write_run(
    run: Run,
    fleet: Fleet,
    folder: Path,
    file_format: str,
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[Path, int]:
    """Simulate a run and write it into `folder`, which is created if missing.

    All columns are text. The files appear under their names once all of them are complete, in
    place of those of another run, the manifest last.

    Args:
        run: the run.
        fleet: its fleet, not yet simulated.
        folder: where to write; temporary files are kept in it and removed.
        file_format: `csv` or `parquet`.
        on_progress: called with the number of steps done, of `steps` in all.

    Returns:
        The number of rows of each feed's file.

    Raises:
        ValueError: the format is unknown.
    """
    if file_format not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".run-") as name:
        scratch = Path(name)
        unfinished = scratch / "complete"
        unfinished.mkdir()
        with _connection(scratch) as connection:
            _stage(connection, scratch, "users", 0, fleet.users())
            _simulate(connection, scratch, run, fleet, on_progress)
            rows = {}
            for table in FEEDS:
                path = unfinished / f"{feed_name(table)}.{file_format}"
                rows[path.name] = _write_feed(connection, scratch, table, run, path)
                on_progress(1)
        prices = write_feed(run.prices, DECIMALS, unfinished, _PRICES, file_format)
        rows[prices.name] = len(run.prices)
        write_manifest(unfinished / MANIFEST_FILE, manifest(run, fleet.residual_kwh(), rows))
        for path in _files_of_a_run(folder):
            path.unlink()
        for file in (*rows, MANIFEST_FILE):
            (unfinished / file).replace(folder / file)
    return {folder / file: count for file, count in rows.items()}


def steps(run: Run) -> int:
    """Return how many steps `write_run` reports."""
    return run.config.days + len(FEEDS)


def _files_of_a_run(folder: Path) -> list[Path]:
    """Return the files of a run that are in a folder, the manifest first."""
    names = [MANIFEST_FILE]
    for feed in (*map(feed_name, FEEDS), _PRICES):
        names += [f"{feed}.{file_format}" for file_format in FORMATS]
    return [folder / name for name in names if (folder / name).exists()]


def _connection(scratch: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={"memory_limit": _MEMORY_LIMIT, "temp_directory": str(scratch / "spill")}
    )
    # The caller shows the progress.
    connection.execute("set enable_progress_bar = false")
    return connection


def _simulate(
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
    run: Run,
    fleet: Fleet,
    on_progress: Callable[[int], None],
) -> None:
    for number, tables in enumerate(run.days(fleet)):
        for table, columns in tables.items():
            _stage(connection, scratch, table, number, columns)
        on_progress(1)


def _stage(
    connection: duckdb.DuckDBPyConnection, scratch: Path, table: str, number: int, columns: dict
) -> None:
    connection.register("part", frame_of(columns))
    path = scratch / f"{table}-{number:05}.parquet"
    connection.execute(f"copy part to {_quoted(path)} ({_STAGED})")
    connection.unregister("part")


def _write_feed(
    connection: duckdb.DuckDBPyConnection, scratch: Path, table: str, run: Run, path: Path
) -> int:
    """Write the parts of a table, one after the other, as text; return the number of rows."""
    parts = sorted(scratch.glob(f"{table}-*.parquet"))
    staged = f"read_parquet([{', '.join(map(_quoted, parts))}])" if parts else None
    query = text_query(table, run.texts, staged)
    options = _COPY_OPTIONS[path.suffix[1:]]
    written = connection.execute(f"copy ({query}) to {_quoted(path)} ({options})")
    return written.fetchone()[0]


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
