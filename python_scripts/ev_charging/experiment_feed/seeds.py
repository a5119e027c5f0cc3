"""The two seeds of the experiment source, with odd and bad rows among the good ones."""

from pathlib import Path

import numpy as np
import pandas as pd

from ev_charging.bad_rows import (
    DUPLICATE,
    SUPERSEDED,
    BadRow,
    Fields,
    bad_row,
    spread,
    with_bad_rows,
)
from ev_charging.experiment_feed.delivery import SESSION_DECIMALS, USER_DECIMALS
from ev_charging.experiment_feed.experiment import generate_experiment
from ev_charging.experiment_feed.faults import in_both_arms
from ev_charging.feed_files import as_text, write_text

USERS_FILE = "raw_experiment__users.csv"
SESSIONS_FILE = "raw_experiment__sessions.csv"
SEED_USERS = 2000
MIXED_USERS = 6
EMPTY_FIELDS = 5

UNKNOWN_USER = "unknown_user"
BEFORE_ASSIGNMENT = "before_assignment"
# Rows with one of these kinds are read, all others end in quarantine.
ODD_KINDS = (UNKNOWN_USER, BEFORE_ASSIGNMENT)

_PRE_COLUMNS = (
    *("pre_sessions", "pre_low_price_sessions", "pre_peak_sessions", "pre_energy_kwh"),
    *("pre_low_price_energy_kwh", "pre_cost_eur", "pre_co2_g"),
)
_TIMES = ("plugged_in_at", "charging_started_at", "charging_ended_at", "plugged_out_at")
_KEEP_THEIR_ID = (DUPLICATE, SUPERSEDED, "missing_key")


def _swapped(first: str, second: str) -> BadRow:
    return BadRow("end_before_start", lambda row: {first: row[second], second: row[first]})


def _two_weeks_earlier(row: Fields) -> Fields:
    times = pd.to_datetime([row[column] for column in _TIMES]) - pd.Timedelta(days=14)
    return dict(zip(_TIMES, times.strftime("%Y-%m-%dT%H:%MZ"), strict=True))


BAD_USERS = (
    bad_row("missing_key", user_id=""),
    bad_row("not_a_time", assigned_at="last week"),
    bad_row("negative_count", pre_sessions="-3"),
    bad_row(DUPLICATE),
    bad_row(SUPERSEDED, segment="workplace"),
)
BAD_SESSIONS = (
    bad_row("missing_key", session_id=""),
    bad_row(UNKNOWN_USER, user_id="guest1"),
    bad_row("negative_energy", energy_kwh="-4.200"),
    _swapped("plugged_in_at", "plugged_out_at"),
    bad_row("not_a_boolean", in_low_price_window="maybe"),
    bad_row(DUPLICATE),
    BadRow(BEFORE_ASSIGNMENT, _two_weeks_earlier),
    bad_row("not_finite", energy_kwh="NaN"),
    bad_row(SUPERSEDED, energy_kwh="1.000", cost_eur="0.0450"),
    bad_row("not_a_time", plugged_out_at="2024-10-28T24:30Z"),
    bad_row("not_a_number", energy_kwh="12.5kWh"),
    _swapped("charging_started_at", "charging_ended_at"),
    bad_row(UNKNOWN_USER, user_id="guest2"),
    bad_row("time_out_of_range", plugged_in_at="1970-01-01T00:00Z"),
    bad_row(DUPLICATE),
    bad_row("implausible_energy", energy_kwh="9999.000"),
    bad_row("missing_value", plugged_in_at=""),
    bad_row(SUPERSEDED, in_low_price_window=""),
)


def seed_experiment(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of users and of sessions as text, in the order of the files."""
    experiment = generate_experiment(users=SEED_USERS, seed=seed)
    users = as_text(experiment.users, USER_DECIMALS)
    sessions = as_text(experiment.sessions, SESSION_DECIMALS)
    return _odd_users(users), _odd_sessions(sessions)


def write_experiment_seeds(folder: Path, seed: int) -> dict[Path, int]:
    """Write both seeds into `folder`; return the number of rows of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / USERS_FILE, folder / SESSIONS_FILE)
    frames = seed_experiment(seed)
    return {path: write_text(frame, path) for path, frame in zip(paths, frames, strict=True)}


def _odd_users(users: pd.DataFrame) -> pd.DataFrame:
    users = users.copy()
    users.loc[_evenly(len(users), EMPTY_FIELDS, 0.3), list(_PRE_COLUMNS)] = ""
    users.loc[_evenly(len(users), EMPTY_FIELDS, 0.6), "segment"] = ""
    users = with_bad_rows(users, spread(BAD_USERS, len(users)))
    return in_both_arms(users, _evenly(len(users), MIXED_USERS, 0.9))


def _odd_sessions(sessions: pd.DataFrame) -> pd.DataFrame:
    damage = [
        (position, _with_own_id(bad, number))
        for number, (position, bad) in enumerate(spread(BAD_SESSIONS, len(sessions)), start=1)
    ]
    emptied = sessions.copy()
    for place, column in ((0.2, "energy_kwh"), (0.4, "in_low_price_window"), (0.8, _TIMES[1])):
        emptied.loc[_evenly(len(sessions), EMPTY_FIELDS, place), column] = ""
    return with_bad_rows(emptied, damage)


def _with_own_id(bad: BadRow, number: int) -> BadRow:
    if bad.kind in _KEEP_THEIR_ID:
        return bad
    return BadRow(bad.kind, lambda row: {"session_id": f"x{number}"} | bad.change(row))


def _evenly(count: int, wanted: int, place: float) -> np.ndarray:
    """Return positions of `wanted` rows, at the same place in as many equal parts."""
    return ((np.arange(wanted) + place) * count / wanted).astype(np.int64)
