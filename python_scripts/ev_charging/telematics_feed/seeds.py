"""The four seeds of the telematics source, with bad rows among the good ones."""

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from ev_charging.bad_rows import DUPLICATE, SUPERSEDED, BadRow, bad_row, spread, with_bad_rows
from ev_charging.feed_files import write_text
from ev_charging.telematics_feed.delivery import Run, delivered
from ev_charging.telematics_feed.oddities import KINDS
from ev_charging.telematics_feed.tables import FEEDS, relation

SEED_VEHICLES, SEED_START, SEED_DAYS = 66, date(2025, 6, 1), 30
_SHARES = dict(zip(KINDS, (0.06, 0.03, 0.012, 0.006, 0.02, 0.02, 0.006, 0.02), strict=True))

_TOO_LATE = "2025-06-14T24:30:00Z"
_LONG_AGO = "1970-01-01T00:00:00Z"


def _swapped(kind: str, first: str, second: str) -> BadRow:
    return BadRow(kind, lambda row: {first: row[second], second: row[first]})


# Copies of logs that are read would look like damage.
BAD_ROWS: dict[str, tuple[BadRow, ...]] = {
    "telematics__vehicles": (
        bad_row("missing_key", vehicle_id=""),
        bad_row("unknown_supplier", vehicle_id="VB9XXXXXXXX000001", supplier="delta"),
        bad_row("not_a_number", vehicle_id="VB9XXXXXXXX000002", battery_kwh="64kWh"),
        bad_row(SUPERSEDED, client_id="KD-000000"),
        bad_row("out_of_range", vehicle_id="VB9XXXXXXXX000003", battery_kwh="-5.000"),
        bad_row("not_a_date", vehicle_id="VB9XXXXXXXX000004", first_registered_on="2023-02-30"),
        bad_row(DUPLICATE),
    ),
    "telematics__drives": (
        bad_row("missing_key", vehicle_id=""),
        bad_row("unknown_supplier", supplier="delta"),
        bad_row("missing_key", started_at=""),
        bad_row("not_a_number", soc_end="64%"),
        _swapped("falling_odometer", "odometer_start", "odometer_end"),
        _swapped("end_before_start", "started_at", "ended_at"),
        bad_row("out_of_range", soc_start="130.0"),
        bad_row("not_a_time", ended_at=_TOO_LATE),
        bad_row("time_out_of_range", started_at=_LONG_AGO),
        bad_row("not_finite", odometer_end="NaN"),
        bad_row("missing_value", odometer_start=""),
        bad_row("negative_distance", odometer_start="-12.0"),
    ),
    "telematics__charges": (
        bad_row("missing_key", started_at=""),
        bad_row("missing_value", supplier=""),
        bad_row("unknown_supplier", supplier="delta"),
        bad_row("not_a_number", power="11kW"),
        bad_row("out_of_range", soc_end="-3.0"),
        bad_row("implausible_power", power="9999999"),
        bad_row("implausible_energy", energy="9999999"),
        bad_row("not_a_time", started_at="2025-06-31T08:00:00Z"),
        bad_row("negative_energy", energy="-4.000"),
        bad_row("unknown_place", place="moon"),
        bad_row("time_out_of_range", ended_at=_LONG_AGO),
    ),
    "telematics__injected_damage": (
        bad_row("unknown_kind", damage_kind="gremlins"),
        bad_row("missing_key", reference=""),
        bad_row(DUPLICATE),
    ),
}


def seed_file(feed: str) -> str:
    """Return the name of the seed of a feed."""
    return f"raw_{feed}.csv"


def seed_run(seed: int) -> Run:
    """Return the run of the seeds: a month of a few clients, with much that is odd."""
    return Run(SEED_VEHICLES, SEED_START, SEED_DAYS, seed, shares=_SHARES)


def seed_feeds(seed: int) -> dict[str, pd.DataFrame]:
    """Return the rows of each feed as text, in the order of the files."""
    tables = delivered(seed_run(seed), range(SEED_VEHICLES))
    with duckdb.connect() as connection:
        frames = {feed: relation(connection, feed, tables[feed]).df().fillna("") for feed in FEEDS}
    return {
        feed: with_bad_rows(frame, spread(BAD_ROWS[feed], len(frame)))
        for feed, frame in frames.items()
    }


def write_telematics_seeds(folder: Path, seed: int) -> dict[Path, int]:
    """Write the seeds into `folder`; return the number of rows of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        folder / seed_file(feed): write_text(frame, folder / seed_file(feed))
        for feed, frame in seed_feeds(seed).items()
    }
