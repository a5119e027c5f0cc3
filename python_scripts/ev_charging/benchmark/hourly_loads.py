"""An hourly-load feed of many rows, from file to load.load_kpis, beside the same KPIs by hand."""

import itertools
import json
import os
import sys
from pathlib import Path
from statistics import median

import click
import duckdb

from ev_charging.benchmark.duckdb_baseline import COLUMNS
from ev_charging.benchmark.measure import Measured, run, run_dbt, run_python, seconds_in_nodes

MEMORY_LIMIT = os.environ.get("EV_MEMORY_LIMIT", "3GB")
GENERATOR = Path(__file__).resolve().parents[2] / "generate_residential.py"


def run_csv(*, rows: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure the feed as CSV; the target is 3 times the hand-written query, below 4 GiB."""
    _compare(_feed("csv", rows, folder), repeats, folder, target=3)


def run_parquet(*, rows: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure the feed as Parquet; the ratio is for information."""
    _compare(_feed("parquet", rows, folder), repeats, folder, target=None)


def run_pandas(*, rows: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure pandas on a tenth of the rows, beside the warehouse on the same rows."""
    tenth = _first_rows(_feed("csv", rows, folder), rows // 10)
    _, ours = _warehouse(tenth, folder)
    by_hand = [
        run_python("ev_charging.benchmark.pandas_baseline", str(tenth)) for _ in range(repeats)
    ]
    _check_equal(by_hand[0], folder)
    seconds = median(measured.seconds for measured in by_hand)
    click.echo(
        f"  pandas           {seconds:6.1f} s, {by_hand[0].peak_gib:5.2f} GiB, {rows // 10:,} rows"
    )
    click.echo(f"  warehouse        {ours:6.1f} s in its nodes, the same rows")


def _compare(feed: Path, repeats: int, folder: Path, target: float | None) -> None:
    threads = str(os.cpu_count())
    by_hand, sums_by_hand, whole, in_nodes = [], [], [], []
    # In turn, so that a busy machine slows both sides.
    for _ in range(repeats):
        baseline = ("ev_charging.benchmark.duckdb_baseline", str(feed), threads, MEMORY_LIMIT)
        by_hand.append(run_python(*baseline))
        sums_by_hand.append(run_python(*baseline, "sums"))
        measured, seconds = _warehouse(feed, folder)
        whole.append(measured)
        in_nodes.append(seconds)
    _check_equal(by_hand[0], folder)
    hand_seconds = median(measured.seconds for measured in by_hand)
    node_seconds = median(in_nodes)
    hand_gib = max(measured.peak_gib for measured in by_hand)
    click.echo(f"  one query        {hand_seconds:6.1f} s, {hand_gib:5.2f} GiB, no checks")
    click.echo(
        f"  warehouse        {node_seconds:6.1f} s in its nodes, "
        f"{max(m.peak_gib for m in whole):5.2f} GiB (target 4 GiB), "
        f"{median(m.seconds for m in whole):.1f} s with the start of dbt"
    )
    aim = f" (target {target:g})" if target else ""
    click.echo(f"  ratio            {node_seconds / hand_seconds:6.2f}{aim}")
    sum_seconds = median(measured.seconds for measured in sums_by_hand)
    click.echo(
        f"  for comparison   {node_seconds / sum_seconds:6.2f} times the query without users and "
        f"coincidence factor ({sum_seconds:.1f} s)"
    )


def _feed(kind: str, rows: int, folder: Path) -> Path:
    """The feed of that many rows, written by the generator's bulk mode unless it is there."""
    place = folder / f"hourly_loads_{rows}"
    file = place / f"hourly_loads.{kind}"
    if not file.exists():
        click.echo(f"  writing {rows:,} rows as {kind} ...")
        options = ["--rows", str(rows), "--format", kind, "--output", str(place)]
        run([sys.executable, str(GENERATOR), *options])
    return file


def _first_rows(feed: Path, rows: int) -> Path:
    """The first rows of a CSV feed as a file beside it."""
    file = feed.with_name(f"first_{rows}.csv")
    with feed.open() as lines, file.open("w") as out:
        out.writelines(itertools.islice(lines, rows + 1))
    return file


def _warehouse(feed: Path, folder: Path) -> tuple[Measured, float]:
    """Build load_kpis from the feed; returns the measurement and the seconds in dbt's nodes."""
    warehouse = folder / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    measured, results = run_dbt(
        "build",
        "--select",
        "+load_kpis",
        "--exclude-resource-type",
        "test",
        "unit_test",
        "--vars",
        json.dumps({"feeds": {"residential__hourly_loads": str(feed)}}),
        warehouse=warehouse,
        target=folder / "target",
    )
    return measured, seconds_in_nodes(results)


def _check_equal(by_hand: Measured, folder: Path) -> None:
    """Both sides must say the same.

    Raises:
        click.ClickException: a figure differs by more than 1e-9 of its value.
    """
    expected = [json.loads(line) for line in by_hand.output.splitlines() if line.startswith("{")]
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        columns = ", ".join(COLUMNS)
        rows = connection.execute(
            f"select {columns} from load.load_kpis order by load_profile"
        ).fetchall()
    for hand, row in zip(expected, rows, strict=True):
        for column, ours in zip(COLUMNS[1:], row[1:], strict=True):
            if abs(float(ours) - hand[column]) > 1e-9 * max(1, abs(hand[column])):
                name = f"{hand['load_profile']}.{column}"
                raise click.ClickException(
                    f"{name}: {ours} in the warehouse, {hand[column]} by hand"
                )
