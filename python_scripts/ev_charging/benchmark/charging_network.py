"""Charger messages of a large network from their file to every mart of reliability."""

import json
import os
import sys
from pathlib import Path
from statistics import median

import click
import duckdb

from ev_charging.benchmark.measure import Measured, run, run_dbt, run_python, seconds_in_nodes

MEMORY_LIMIT = os.environ.get("EV_MEMORY_LIMIT", "3GB")
GENERATOR = Path(__file__).resolve().parents[2] / "generate_network.py"
MESSAGES = "network__charger_messages"
# What is not linear shows between a feed and a fifth of it.
PART = 5


def run_network(*, messages: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure the way from the messages to the marts; targets are 4 scans, 8 GiB and linear."""
    feeds, fewer = (_feeds(count, folder) for count in (messages, messages // PART))
    threads = str(os.cpu_count())
    scans, narrow_scans, whole, in_nodes, of_fewer = [], [], [], [], []
    # In turn, so that a busy machine slows both sides.
    for _number in range(repeats):
        scan = ("ev_charging.benchmark.message_baseline", feeds[MESSAGES], threads, MEMORY_LIMIT)
        scans.append(run_python(*scan, "all"))
        narrow_scans.append(run_python(*scan, "times"))
        measured, seconds = _warehouse(feeds, folder)
        whole.append(measured)
        in_nodes.append(seconds)
        sessions, attempts = _figures(folder)
        of_fewer.append(_warehouse(fewer, folder)[1])
    rows = int(scans[0].output)
    scan_seconds = median(scan.seconds for scan in scans)
    narrow_seconds = median(scan.seconds for scan in narrow_scans)
    seconds = median(in_nodes)
    click.echo(f"  {rows:,} messages, {sessions:,} sessions, {attempts:,} attempts")
    click.echo(
        f"  scan and window  {scan_seconds:6.1f} s, {max(s.peak_gib for s in scans):5.2f} GiB, "
        "no checks"
    )
    click.echo(
        f"  warehouse        {seconds:6.1f} s in its nodes, "
        f"{max(m.peak_gib for m in whole):5.2f} GiB (target 8 GiB), "
        f"{median(m.seconds for m in whole):.1f} s with the start of dbt"
    )
    click.echo(f"  ratio            {seconds / scan_seconds:6.2f} (target 4)")
    click.echo(
        f"  for comparison   {seconds / narrow_seconds:6.2f} times the scan of charger and time "
        f"alone ({narrow_seconds:.1f} s)"
    )
    click.echo(
        f"  linear           {PART * median(of_fewer) / seconds:6.2f} times the time of a {PART}th "
        f"of the messages, {PART} times ({median(of_fewer):.1f} s; target 0.75 to 1.25)"
    )


def _feeds(messages: int, folder: Path) -> dict[str, str]:
    """The feeds of a network with about so many messages, written by the generator if missing."""
    place = folder / f"network_{messages}"
    if not (place / f"{MESSAGES}.parquet").exists():
        click.echo(f"  writing a network of about {messages:,} messages ...")
        options = ["--messages", str(messages), "--format", "parquet", "--output", str(place)]
        run([sys.executable, str(GENERATOR), *options])
    return {file.stem: str(file) for file in sorted(place.glob("network__*.parquet"))}


def _warehouse(feeds: dict[str, str], folder: Path) -> tuple[Measured, float]:
    """Build all marts of reliability; returns the measurement and the seconds in dbt's nodes."""
    warehouse = folder / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    measured, results = run_dbt(
        "build",
        "--select",
        "+path:models/marts/reliability",
        "+dim_port",
        "--exclude-resource-type",
        "test",
        "unit_test",
        "--vars",
        json.dumps({"feeds": feeds}),
        warehouse=warehouse,
        target=folder / "target",
    )
    return measured, seconds_in_nodes(results)


def _figures(folder: Path) -> tuple[int, int]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(
            """
            select
                (select count(*) from core.fct_charging_sessions),
                (select count(*) from reliability.fct_charge_attempts)
            """
        ).fetchone()
