"""The fleet simulator beside a loop over objects, and a large fleet written to Parquet."""

import sys
from datetime import date
from pathlib import Path
from statistics import median
from time import process_time

import click

from ev_charging.benchmark import object_loop
from ev_charging.benchmark.measure import run
from ev_charging.simulation.archetypes import Archetype, read_archetypes
from ev_charging.simulation.config import Dispatch, FleetConfig
from ev_charging.simulation.run_prices import market_prices
from ev_charging.simulation.simulator import Fleet

PROJECT = Path(__file__).resolve().parents[3]
ARCHETYPES = PROJECT / "seeds" / "reference" / "charging_archetypes.csv"
SIMULATOR = PROJECT / "python_scripts" / "simulate_fleet.py"
START = date(2024, 10, 21)
DAYS = 28
STEP_MINUTES = 5
# Enough of the loop for its speed, which doesn't depend on the number of users.
LOOP_USERS, LOOP_DAYS = 200, 7
RUNS = {
    "uncontrolled": {"controller": "uncontrolled"},
    "scheduled": {"controller": "scheduled"},
    "smart": {"controller": "smart"},
    "dispatch": {"controller": "uncontrolled", "dispatch": Dispatch(mode="drain")},
    "smart, cap, jitter": {"controller": "smart", "cap_kw_per_car": 1.5, "jitter_minutes": 10},
}
# Cars of the large fleet for each of the one whose speed is measured.
LARGE = 10


def run_simulation(*, cars: int, repeats: int, **_: object) -> None:
    """Measure EV-days per CPU-second of every controller; the target is 100 times the loop."""
    archetypes = read_archetypes(ARCHETYPES)
    loop = []
    speeds = {name: [] for name in RUNS}
    # In turn, so that a busy machine slows both sides.
    for _number in range(repeats):
        loop.append(_loop_speed(archetypes))
        for name, options in RUNS.items():
            speeds[name].append(_speed(archetypes, cars, options))
    click.echo(f"  EV-days per CPU-second; {cars:,} cars at {STEP_MINUTES} min, one process")
    click.echo(f"  {'object per user':18} {median(loop):9,.0f}   at 1 min")
    for name, of_run in speeds.items():
        ratio = median(of_run) / median(loop)
        click.echo(f"  {name:18} {median(of_run):9,.0f}   ratio {ratio:.0f} (target 100)")


def run_large_fleet(*, cars: int, folder: Path, **_: object) -> None:
    """Measure a fleet ten times as large on its way to Parquet; the target is 6 GiB."""
    place = folder / f"fleet_{LARGE * cars}"
    options = ["--users", str(LARGE * cars), "--days", str(DAYS), "--start", START.isoformat()]
    options += ["--format", "parquet", "--output", str(place), "--overwrite"]
    measured = run([sys.executable, str(SIMULATOR), *options])
    size_gb = sum(file.stat().st_size for file in place.rglob("*.parquet")) / 1e9
    click.echo(
        f"  {LARGE * cars:,} cars, {DAYS} days at 30 min: {measured.seconds:.1f} s, "
        f"{measured.cpu_seconds:.1f} CPU-s, {measured.peak_gib:.2f} GiB (target 6 GiB), "
        f"{size_gb:.2f} GB of Parquet"
    )


def _loop_speed(archetypes: list[Archetype]) -> float:
    started = process_time()
    object_loop.simulate(archetypes, LOOP_USERS, LOOP_DAYS)
    return LOOP_USERS * LOOP_DAYS / (process_time() - started)


def _speed(archetypes: list[Archetype], cars: int, options: dict) -> float:
    config = FleetConfig(users=cars, days=DAYS, start=START, step_minutes=STEP_MINUTES, **options)
    prices = market_prices(config)
    started = process_time()
    for _day in Fleet(config, archetypes, prices).days():
        pass
    # the days of the warm-up are thrown away, and count for nothing
    return cars * DAYS / (process_time() - started)
