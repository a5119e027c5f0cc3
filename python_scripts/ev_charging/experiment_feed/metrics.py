"""Totals of sessions and the metrics of the experiment as ratios of two of them."""

import numpy as np

from ev_charging.experiment_feed.behaviour import Sessions
from ev_charging.experiment_feed.price_calendar import PriceCalendar

# Metric: its numerator and its denominator, totals of `session_figures` or the number of users.
METRICS = {
    "low_price_share": ("low_price_sessions", "sessions"),
    "energy_per_session": ("energy_kwh", "sessions"),
    "sessions_per_user": ("sessions", "users"),
    "low_price_energy_share": ("low_price_energy_kwh", "energy_kwh"),
    "cost_per_kwh": ("cost_eur", "energy_kwh"),
    "gco2_per_kwh": ("co2_g", "energy_kwh"),
    "peak_hour_share": ("peak_sessions", "sessions"),
}


def session_figures(sessions: Sessions, calendar: PriceCalendar) -> dict[str, np.ndarray]:
    """Return what is summed up over sessions, each of shape (sessions,)."""
    is_low = calendar.in_low_price_hour(sessions.start)
    energy_kwh = sessions.energy_wh / 1000
    return {
        "sessions": np.ones(len(sessions)),
        "low_price_sessions": is_low.astype(float),
        "peak_sessions": calendar.in_peak_hour(sessions.start).astype(float),
        "energy_kwh": energy_kwh,
        "low_price_energy_kwh": np.where(is_low, energy_kwh, 0),
        "cost_eur": calendar.cost_eur(sessions.start, sessions.end, sessions.energy_wh),
        "co2_g": calendar.carbon_g(sessions.start, sessions.end, sessions.energy_wh),
    }


def totals_per_user(
    figures: dict[str, np.ndarray], position: np.ndarray, users: int
) -> dict[str, np.ndarray]:
    """Return the totals of users, each of shape (users,).

    Args:
        figures: values of sessions as `session_figures` gives them.
        position: place of each session's user among the users.
        users: number of users.
    """
    return {
        name: np.bincount(position, weights=values, minlength=users)
        for name, values in figures.items()
    }


def metric_values(figures: dict[str, np.ndarray], users: int) -> dict[str, float]:
    """Return each metric of a group of users; nan where its denominator is 0."""
    totals = {name: float(values.sum()) for name, values in figures.items()} | {"users": users}
    return {
        metric: totals[numerator] / totals[denominator] if totals[denominator] else float("nan")
        for metric, (numerator, denominator) in METRICS.items()
    }
