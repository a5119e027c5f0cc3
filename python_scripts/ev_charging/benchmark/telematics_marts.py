"""Driving and charging logs from their files to every mart and extract, beside a scan of them."""

import json
import os
import sys
from pathlib import Path
from statistics import median

import click
import duckdb

from ev_charging.benchmark.measure import Measured, run, run_dbt, run_python, seconds_in_nodes

MEMORY_LIMIT = os.environ.get("EV_MEMORY_LIMIT", "6GB")
GENERATOR = Path(__file__).resolve().parents[2] / "generate_telematics.py"
DRIVES, CHARGES = "telematics__drives", "telematics__charges"
DAYS = 50
# A vehicle drives and charges about twice a day, taken together.
RECORDS_PER_VEHICLE = 2 * DAYS
# What is not linear shows between the feeds and a fifth of them, unless dbt's own time hides it.
PART = 5
LINEAR_FROM = 100_000


def run_telematics(*, records: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure the way from logs to marts and extracts; targets: 4 scans, 10 GiB and linear."""
    feeds = _feeds(records, folder)
    fewer = _feeds(records // PART, folder) if records >= LINEAR_FROM else None
    scan = ("ev_charging.benchmark.telematics_baseline", feeds[DRIVES], feeds[CHARGES])
    threads = str(os.cpu_count())
    scans, narrow_scans, whole, in_nodes, of_fewer = [], [], [], [], []
    # In turn, so that a busy machine slows both sides.
    for _number in range(repeats):
        scans.append(run_python(*scan, "all", threads, MEMORY_LIMIT))
        narrow_scans.append(run_python(*scan, "times", threads, MEMORY_LIMIT))
        measured, seconds = _warehouse(feeds, folder)
        whole.append(measured)
        in_nodes.append(seconds)
        vehicles, drives, sessions = _figures(folder)
        if fewer is not None:
            of_fewer.append(_warehouse(fewer, folder)[1])
    rows = int(scans[0].output)
    scan_seconds, scan_cpu = _seconds(scans)
    narrow_seconds, _narrow_cpu = _seconds(narrow_scans)
    seconds = median(in_nodes)
    with_dbt, cpu = _seconds(whole)
    click.echo(
        f"  {rows:,} drives and charges of {vehicles:,} vehicles; {drives:,} drives and "
        f"{sessions:,} sessions in the marts"
    )
    click.echo(
        f"  scan and window  {scan_seconds:6.1f} s, {scan_cpu:6.1f} CPU-s, "
        f"{_peak_gib(scans):5.2f} GiB, no checks and nothing crossed"
    )
    click.echo(
        f"  warehouse        {seconds:6.1f} s in its nodes, {cpu:6.1f} CPU-s, "
        f"{_peak_gib(whole):5.2f} GiB (target 10 GiB), {with_dbt:.1f} s with the start of dbt"
    )
    click.echo(
        f"  ratio            {seconds / scan_seconds:6.2f} (target 4), "
        f"{cpu / scan_cpu:.2f} in CPU-seconds"
    )
    click.echo(
        f"  for comparison   {seconds / narrow_seconds:6.2f} times the scan of vehicles and times "
        f"alone ({narrow_seconds:.1f} s)"
    )
    if fewer is None:
        return
    click.echo(
        f"  linear           {PART * median(of_fewer) / seconds:6.2f} times the time of a {PART}th "
        f"of the rows, {PART} times ({median(of_fewer):.1f} s; target 0.75 to 1.25)"
    )


def _feeds(records: int, folder: Path) -> dict[str, str]:
    """The feeds with about so many drives and charges, written by the generator if missing."""
    place = folder / f"telematics_{records}"
    if not (place / f"{DRIVES}.parquet").exists():
        vehicles = max(1, records // RECORDS_PER_VEHICLE)
        click.echo(f"  writing the logs of {vehicles:,} vehicles over {DAYS} days ...")
        options = ["--vehicles", str(vehicles), "--days", str(DAYS), "--format", "parquet"]
        run([sys.executable, str(GENERATOR), *options, "--output", str(place)])
    return {file.stem: str(file) for file in sorted(place.glob("telematics__*.parquet"))}


def _warehouse(feeds: dict[str, str], folder: Path) -> tuple[Measured, float]:
    """Build all marts and extracts; returns the measurement and the seconds in dbt's nodes."""
    warehouse = folder / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    measured, results = run_dbt(
        "build",
        "--select",
        "+fct_drives",
        "+path:models/marts/mobility",
        "+path:models/marts/extracts",
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


def _figures(folder: Path) -> tuple[int, int, int]:
    """Vehicles, drives and sessions."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(
            """
            select
                (select count(*) from core.dim_vehicle where source_system <> 'unknown'),
                (select count(*) from core.fct_drives),
                (select count(*) from mobility.session_indicators)
            """
        ).fetchone()


def _seconds(side: list[Measured]) -> tuple[float, float]:
    """Median seconds on the clock and of all cores."""
    return median(m.seconds for m in side), median(m.cpu_seconds for m in side)


def _peak_gib(side: list[Measured]) -> float:
    return max(measured.peak_gib for measured in side)
