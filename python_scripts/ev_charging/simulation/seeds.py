"""The seven seeds of the simulator source: three damaged runs, and bad rows among the good."""

from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from ev_charging.bad_rows import DUPLICATE, SUPERSEDED, BadRow, bad_row, spread, with_bad_rows
from ev_charging.feed_files import write_text
from ev_charging.simulation.archetypes import Archetype
from ev_charging.simulation.config import Dispatch, FleetConfig
from ev_charging.simulation.damage import KINDS
from ev_charging.simulation.run import Run
from ev_charging.simulation.run_prices import market_prices
from ev_charging.simulation.tables import FEEDS, feed_name, text_frame

SEED_USERS, SEED_DAYS = 10, 12
# Summer time ends on the seventh day.
SEED_START = date(2024, 10, 21)
COUNTERFACTUAL = "uncontrolled"
# Of each archetype, so that a few drivers are of all six.
_ARCHETYPE_SHARES = (30, 22, 12, 12, 15, 9)
_DAMAGE_SHARES = dict.fromkeys(KINDS, 0.035)
# Workdays without a window come before them, which a baseline is made of.
_DISPATCH_DATES = tuple(date(2024, 10, day) for day in range(28, 32))

_TOO_LATE = "2024-10-28T24:30:00Z"
_LONG_AGO = "1970-01-01T00:00:00Z"


def _swapped(first: str, second: str) -> BadRow:
    return BadRow("end_before_start", lambda row: {first: row[second], second: row[first]})


BAD_ROWS: dict[str, tuple[BadRow, ...]] = {
    "users": (
        bad_row("missing_key", user_id=""),
        bad_row("slash_in_key", run_id="smart/2"),
        bad_row("not_a_number", user_id="x1", battery_kwh="60kWh"),
        bad_row(SUPERSEDED, charger_kw="3.600"),
        bad_row("out_of_range", user_id="x2", target_soc_pct="180.00"),
        bad_row("unknown_time_zone", user_id="x3", time_zone="Europe/Olso"),
        bad_row(DUPLICATE),
    ),
    # Copies that are read would look like damage.
    "telemetry": (
        bad_row("missing_key", starts_at=""),
        bad_row("not_a_number", import_kwh="3.5kWh"),
        bad_row("negative_energy", export_kwh="-0.400"),
        _swapped("starts_at", "ends_at"),
        bad_row("unknown_state", state="sleeping"),
        bad_row("out_of_range", soc_pct="104.00"),
        bad_row("not_finite", import_register_kwh="NaN"),
        bad_row("missing_value", export_register_kwh=""),
        bad_row("not_a_time", ends_at=_TOO_LATE),
        bad_row("time_out_of_range", starts_at=_LONG_AGO),
    ),
    "plug_events": (
        bad_row("missing_key", event=""),
        bad_row("unknown_event", event="unplugged"),
        bad_row("not_a_time", occurred_at="2024-10-27 at noon"),
        bad_row("missing_value", received_at=""),
        bad_row("not_a_number", import_register_kwh="overflow"),
        bad_row("out_of_range", soc_pct="-3.00"),
        bad_row("time_out_of_range", received_at=_LONG_AGO),
    ),
    "trips": (
        bad_row("missing_key", departed_at=""),
        _swapped("departed_at", "arrived_at"),
        bad_row("negative_distance", distance_km="-12.000"),
        bad_row(SUPERSEDED, public_kwh="0.100"),
        bad_row("not_a_number", driving_kwh="4.2kWh"),
        bad_row(DUPLICATE),
        bad_row("out_of_range", soc_end_pct="120.00"),
    ),
    "dispatches": (
        bad_row("missing_key", dispatch_id=""),
        bad_row("unknown_event", event="ignored"),
        bad_row("unknown_mode", mode="sprint"),
        bad_row(SUPERSEDED, mode="pause"),
        bad_row("not_a_time", window_starts_at=_TOO_LATE),
        bad_row(DUPLICATE),
    ),
    "session_truth": (
        bad_row("missing_key", plugged_in_at=""),
        bad_row("not_a_number", soc_start_pct="half"),
        bad_row("negative_energy", import_kwh="-1.000"),
        bad_row(DUPLICATE),
        bad_row("missing_value", charging_seconds=""),
    ),
    "injected_damage": (
        bad_row("unknown_kind", damage_kind="gremlins"),
        bad_row("missing_key", reference=""),
        bad_row(DUPLICATE),
    ),
}


def seed_file(table: str) -> str:
    """Return the name of the seed of a table."""
    return f"raw_{feed_name(table)}.csv"


def seed_runs(archetypes: list[Archetype], seed: int) -> list[Run]:
    """Return the runs of the seeds: without a controller, with one, and with a dispatch."""
    return [
        _run(archetypes, seed, "uncontrolled", COUNTERFACTUAL),
        _run(archetypes, seed, "smart", "smart"),
        _run(
            archetypes,
            seed,
            "uncontrolled",
            "dispatch",
            Dispatch(mode="drain", dates=_DISPATCH_DATES),
        ),
    ]


def seed_tables(archetypes: list[Archetype], seed: int) -> dict[str, pd.DataFrame]:
    """Return the rows of each table as text, in the order of the files."""
    frames = defaultdict(list)
    for run in seed_runs(archetypes, seed):
        parts = _parts(run)
        for table in FEEDS:
            frames[table].append(text_frame(table, run.texts, parts[table]))
    rows = {table: pd.concat(of_runs, ignore_index=True) for table, of_runs in frames.items()}
    return {
        table: with_bad_rows(frame, spread(BAD_ROWS[table], len(frame)))
        for table, frame in rows.items()
    }


def write_simulator_seeds(folder: Path, archetypes: list[Archetype], seed: int) -> dict[Path, int]:
    """Write the seeds into `folder`; return the number of rows of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        folder / seed_file(table): write_text(frame, folder / seed_file(table))
        for table, frame in seed_tables(archetypes, seed).items()
    }


def _run(
    archetypes: list[Archetype],
    seed: int,
    controller: str,
    run_id: str,
    dispatch: Dispatch | None = None,
) -> Run:
    config = FleetConfig(
        users=SEED_USERS,
        days=SEED_DAYS,
        start=SEED_START,
        seed=seed,
        controller=controller,
        dispatch=dispatch,
        archetype_shares=_ARCHETYPE_SHARES,
    )
    return Run(
        config,
        archetypes,
        market_prices(config),
        run_id,
        "" if dispatch is None else COUNTERFACTUAL,
        _DAMAGE_SHARES,
    )


def _parts(run: Run) -> dict[str, list[dict[str, np.ndarray]]]:
    """Return what is simulated of a run, day by day, by table."""
    fleet = run.fleet()
    parts = defaultdict(list, users=[fleet.users()])
    for tables in run.days(fleet):
        for table, columns in tables.items():
            parts[table].append(columns)
    return parts
