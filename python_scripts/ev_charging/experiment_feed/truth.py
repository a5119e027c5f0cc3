"""The true effects: each metric of the whole population without and with the signal."""

import numpy as np

from ev_charging.experiment_feed.behaviour import Sessions
from ev_charging.experiment_feed.metrics import METRICS, metric_values, session_figures
from ev_charging.experiment_feed.population import SEGMENTS, Population
from ev_charging.experiment_feed.price_calendar import PriceCalendar


def true_effects(
    population: Population, control: Sessions, treatment: Sessions, calendar: PriceCalendar
) -> dict[str, dict]:
    """Return metric: {control, treatment, absolute, relative_pct, segments: {segment: likewise}}.

    `control` and `treatment` are the sessions of all users in both worlds. A value that isn't
    defined is None.
    """
    everyone = np.ones(len(population.user), dtype=bool)
    members = {part.name: population.segment == place for place, part in enumerate(SEGMENTS)}
    overall = _effects(everyone, control, treatment, calendar)
    by_segment = {
        name: _effects(is_member, control, treatment, calendar)
        for name, is_member in members.items()
    }
    return {
        metric: overall[metric]
        | {"segments": {name: effects[metric] for name, effects in by_segment.items()}}
        for metric in METRICS
    }


def _effects(
    members: np.ndarray, control: Sessions, treatment: Sessions, calendar: PriceCalendar
) -> dict[str, dict[str, float | None]]:
    without, with_signal = (
        metric_values(
            session_figures(sessions.take(members[sessions.user]), calendar), int(members.sum())
        )
        for sessions in (control, treatment)
    )
    return {metric: _difference(without[metric], with_signal[metric]) for metric in METRICS}


def _difference(control: float, treatment: float) -> dict[str, float | None]:
    figures = {
        "control": control,
        "treatment": treatment,
        "absolute": treatment - control,
        "relative_pct": 100 * (treatment / control - 1) if control else float("nan"),
    }
    return {name: None if np.isnan(value) else value for name, value in figures.items()}
