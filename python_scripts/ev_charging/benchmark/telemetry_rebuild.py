"""Telemetry of a simulated fleet from its file to charging sessions, beside a scan of it."""

import json
import os
import sys
from pathlib import Path
from statistics import median

import click
import duckdb

from ev_charging.benchmark.measure import Measured, run, run_dbt, run_python, seconds_in_nodes

MEMORY_LIMIT = os.environ.get("EV_MEMORY_LIMIT", "8GB")
SIMULATOR = Path(__file__).resolve().parents[2] / "simulate_fleet.py"
TELEMETRY = "simulator__telemetry"
DAYS = 28
# A car is connected for about a quarter of the time.
ROWS_PER_USER = 12 * DAYS
# pandas needs the memory of all rows at once.
PART = 10


def run_rebuild(*, telemetry: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure the way from telemetry to sessions; targets are 2.5 scans and 12 GiB."""
    feeds = _feeds(telemetry, folder)
    threads = str(os.cpu_count())
    scans, narrow_scans, whole, in_nodes = [], [], [], []
    # In turn, so that a busy machine slows both sides.
    for _number in range(repeats):
        scan = ("ev_charging.benchmark.telemetry_baseline", feeds[TELEMETRY], "duckdb")
        scans.append(run_python(*scan, "all", threads, MEMORY_LIMIT))
        narrow_scans.append(run_python(*scan, "times", threads, MEMORY_LIMIT))
        measured, seconds = _warehouse(feeds, folder)
        whole.append(measured)
        in_nodes.append(seconds)
    scan_seconds, narrow_seconds, cpu_seconds = (
        median(measured.cpu_seconds for measured in side) for side in (scans, narrow_scans, whole)
    )
    click.echo(f"  {int(scans[0].output):,} rows of telemetry, {_sessions(folder):,} sessions")
    click.echo(
        f"  scan and window  {scan_seconds:6.1f} CPU-s, {_peak_gib(scans):5.2f} GiB, "
        f"{median(scan.seconds for scan in scans):.1f} s, no checks and no sessions"
    )
    click.echo(
        f"  warehouse        {cpu_seconds:6.1f} CPU-s, {_peak_gib(whole):5.2f} GiB "
        "(target 12 GiB), "
        f"{median(in_nodes):.1f} s in its nodes, "
        f"{median(measured.seconds for measured in whole):.1f} s with the start of dbt"
    )
    click.echo(f"  ratio            {cpu_seconds / scan_seconds:6.2f} (target 2.5)")
    click.echo(
        f"  for comparison   {cpu_seconds / narrow_seconds:6.2f} times the scan of users and times "
        f"alone ({narrow_seconds:.1f} CPU-s)"
    )


def run_pandas(*, telemetry: int, folder: Path, **_: object) -> None:
    """Measure the scan with pandas on a tenth of the rows, for information."""
    feeds = _feeds(telemetry // PART, folder)
    module = "ev_charging.benchmark.telemetry_baseline"
    for engine in ("pandas", "duckdb"):
        arguments = (feeds[TELEMETRY], engine, "all", str(os.cpu_count()), MEMORY_LIMIT)
        measured = run_python(module, *arguments)
        click.echo(
            f"  {engine:16} {measured.cpu_seconds:6.1f} CPU-s, {measured.peak_gib:5.2f} GiB, "
            f"{int(measured.output):,} rows"
        )


def _feeds(telemetry: int, folder: Path) -> dict[str, str]:
    """The feeds of a fleet with about so many rows of telemetry, simulated if missing."""
    place = folder / f"telemetry_{telemetry}"
    if not (place / f"{TELEMETRY}.parquet").exists():
        users = max(1, telemetry // ROWS_PER_USER)
        click.echo(f"  simulating {users:,} cars for {DAYS} days ...")
        options = ["--users", str(users), "--days", str(DAYS), "--format", "parquet", "--damage"]
        run([sys.executable, str(SIMULATOR), *options, "--output", str(place)])
    return {file.stem: str(file) for file in sorted(place.glob("*__*.parquet"))}


def _warehouse(feeds: dict[str, str], folder: Path) -> tuple[Measured, float]:
    """Build the sessions; returns the measurement and the seconds in dbt's nodes."""
    warehouse = folder / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    measured, results = run_dbt(
        "build",
        "--select",
        "+fct_charging_sessions",
        "--exclude-resource-type",
        "test",
        "unit_test",
        "--vars",
        json.dumps({"feeds": feeds}),
        warehouse=warehouse,
        target=folder / "target",
        env={"EV_MEMORY_LIMIT": MEMORY_LIMIT},
    )
    return measured, seconds_in_nodes(results)


def _sessions(folder: Path) -> int:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute("select count(*) from core.fct_charging_sessions").fetchone()[0]


def _peak_gib(side: list[Measured]) -> float:
    return max(measured.peak_gib for measured in side)
