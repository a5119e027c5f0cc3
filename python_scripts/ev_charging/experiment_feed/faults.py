"""What goes wrong between an experiment and its analysis, one function per fault."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ev_charging.experiment_feed.delivery import session_ids
from ev_charging.stateless_random import uniform

LOST_SHARE = 0.2
MIXED_SHARE = 0.02
MISSING_SHARE = 0.05
MOVED_DENOMINATOR = "moved_denominator"
MOVED_DENOMINATOR_PCT = 15.0

# Name of each fault and what it does, as the command's help says it.
FAULTS = {
    "lost_logging": f"{100 * LOST_SHARE:.0f} % of the treated users vanish, with their sessions: a"
    " sample-ratio mismatch",
    "mixed_users": f"{100 * MIXED_SHARE:.0f} % of the users are assigned to both arms",
    "nulls": f"{100 * MISSING_SHARE:.0f} % of the sessions lack their energy, as many their"
    " low-price flag",
    "whale": "one treated user, an account of a fleet, has half of all sessions, and they overlap",
    MOVED_DENOMINATOR: f"the signal also makes {MOVED_DENOMINATOR_PCT:.0f} % more sessions, in"
    " place of --effect-sessions-pct",
}


def with_faults(
    users: pd.DataFrame, sessions: pd.DataFrame, faults: Sequence[str], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of users and of sessions with the faults of a delivery in them.

    A moved denominator is behaviour and no fault of the delivery: it changes nothing here.

    Raises:
        ValueError: if there are too few users for a fault.
    """
    for name in FAULTS:
        if name in faults and name in _DELIVERY_FAULTS:
            users, sessions = _DELIVERY_FAULTS[name](users, sessions, seed)
    return users, sessions


def in_both_arms(users: pd.DataFrame, mixed: np.ndarray) -> pd.DataFrame:
    """Return the users with a second row in the other arm after each row at the `mixed` places."""
    other = users.iloc[mixed]
    other_arm = np.where(other["variant"] == "control", "treatment", "control")
    rows = pd.concat([users, other.assign(variant=other_arm)])
    return rows.sort_index(kind="stable").reset_index(drop=True)


def _lost_logging(
    users: pd.DataFrame, sessions: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    treated = np.flatnonzero(users["variant"] == "treatment")
    lost = treated[_drawn(len(treated), LOST_SHARE, "lost", seed)]
    is_kept = ~sessions["user_id"].isin(users["user_id"].iloc[lost])
    return users.drop(index=lost).reset_index(drop=True), sessions[is_kept].reset_index(drop=True)


def _mixed_users(
    users: pd.DataFrame, sessions: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return in_both_arms(users, _drawn(len(users), MIXED_SHARE, "mixed", seed)), sessions


def _nulls(
    users: pd.DataFrame, sessions: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    sessions = sessions.copy()
    for column, missing in (("energy_kwh", np.nan), ("in_low_price_window", pd.NA)):
        sessions.loc[_drawn(len(sessions), MISSING_SHARE, column, seed), column] = missing
    return users, sessions


def _whale(
    users: pd.DataFrame, sessions: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the first treated user a copy of every session of the others."""
    treated = users.loc[users["variant"] == "treatment", "user_id"]
    if treated.empty:
        raise ValueError("a whale needs a treated user: more users are needed")
    whale = treated.iloc[0]
    others = sessions[sessions["user_id"] != whale]
    rows = pd.concat([others, others.assign(user_id=whale)], ignore_index=True)
    rows = rows.sort_values("plugged_in_at", kind="stable", ignore_index=True)
    return users, rows.assign(session_id=session_ids(np.arange(len(rows))))


def _drawn(count: int, share: float, channel: str, seed: int) -> np.ndarray:
    """Return the positions of a share of `count` rows, ascending."""
    order = np.argsort(uniform(seed, f"fault {channel}", np.arange(count)), kind="stable")
    return np.sort(order[: round(share * count)])


_Fault = Callable[[pd.DataFrame, pd.DataFrame, int], tuple[pd.DataFrame, pd.DataFrame]]
_DELIVERY_FAULTS: dict[str, _Fault] = {
    "lost_logging": _lost_logging,
    "mixed_users": _mixed_users,
    "nulls": _nulls,
    "whale": _whale,
}
