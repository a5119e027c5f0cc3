"""The rows of the feeds experiment__users and experiment__sessions, typed."""

import numpy as np
import pandas as pd

from ev_charging.experiment_feed.behaviour import Sessions
from ev_charging.experiment_feed.population import SEGMENTS, Population
from ev_charging.experiment_feed.price_calendar import PriceCalendar

USER_DECIMALS = {
    "pre_energy_kwh": 3,
    "pre_low_price_energy_kwh": 3,
    "pre_cost_eur": 2,
    "pre_co2_g": 0,
}
SESSION_DECIMALS = {"energy_kwh": 3, "cost_eur": 4}


def user_rows(
    population: Population,
    experiment_id: str,
    variant: np.ndarray,
    assigned: np.ndarray,
    pre_totals: dict[str, np.ndarray],
) -> pd.DataFrame:
    """Return one row per user.

    Args:
        population: the users.
        experiment_id: name of the experiment.
        variant: arm of each user, shape (users,).
        assigned: when the user was assigned, minutes since 1970, shape (users,).
        pre_totals: totals before the experiment as `totals_per_user` gives them.
    """
    return pd.DataFrame(
        {
            "experiment_id": experiment_id,
            "user_id": user_ids(population.user),
            "variant": variant,
            "assigned_at": _instants(assigned),
            "segment": np.take([segment.name for segment in SEGMENTS], population.segment),
            "pre_sessions": pre_totals["sessions"].astype(np.int64),
            "pre_low_price_sessions": pre_totals["low_price_sessions"].astype(np.int64),
            "pre_peak_sessions": pre_totals["peak_sessions"].astype(np.int64),
            "pre_energy_kwh": pre_totals["energy_kwh"],
            "pre_low_price_energy_kwh": pre_totals["low_price_energy_kwh"],
            "pre_cost_eur": pre_totals["cost_eur"],
            "pre_co2_g": pre_totals["co2_g"],
        }
    )


def session_rows(sessions: Sessions, calendar: PriceCalendar) -> pd.DataFrame:
    """Return one row per session, numbered in order of the plug-in."""
    sessions = sessions.take(np.lexsort((sessions.user, sessions.plugin)))
    is_low = calendar.in_low_price_hour(sessions.start)
    return pd.DataFrame(
        {
            "session_id": session_ids(np.arange(len(sessions))),
            "user_id": user_ids(sessions.user),
            "plugged_in_at": _instants(sessions.plugin),
            "charging_started_at": _instants(sessions.start),
            "charging_ended_at": _instants(sessions.end),
            "plugged_out_at": _instants(sessions.plugout),
            "energy_kwh": sessions.energy_wh / 1000,
            "cost_eur": calendar.cost_eur(sessions.start, sessions.end, sessions.energy_wh),
            # A flag may be missing, which numpy's truth values can't be.
            "in_low_price_window": pd.array(is_low, dtype="boolean"),
        }
    )


def user_ids(numbers: np.ndarray) -> pd.Series:
    """Return the ids of users by their number from 0: u1, u2, ..."""
    return _ids("u", numbers)


def session_ids(numbers: np.ndarray) -> pd.Series:
    """Return the ids of sessions by their number from 0: s1, s2, ..."""
    return _ids("s", numbers)


def _ids(letter: str, numbers: np.ndarray) -> pd.Series:
    return letter + pd.Series(numbers + 1).astype(str)


def _instants(minutes: np.ndarray) -> np.ndarray:
    return (minutes * 60).astype("datetime64[s]")
