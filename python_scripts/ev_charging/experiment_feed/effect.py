"""The signal: what every user would do if treated.

Exactly as many sessions are added, left out or moved as the effects ask for.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ev_charging.experiment_feed.behaviour import Sessions, latest_start, local_minutes
from ev_charging.experiment_feed.price_calendar import NO_HOUR
from ev_charging.experiment_feed.world import World
from ev_charging.stateless_random import exponential, uniform

_EVENING, _EVENING_MINUTES = 20 * 60, 120
_LEAST_ENERGY_PCT, _MOST_ENERGY_PCT = -50, 25


@dataclass(frozen=True)
class Effects:
    """What the signal does to the population.

    Attributes:
        low_price_share: absolute change of the share of sessions that start in a low-price hour.
        energy_pct: change of the energy of every session, %, from -50 to 25.
        sessions_pct: change of the number of sessions, %, above -100.

    Raises:
        ValueError: if a value is out of its range.
    """

    low_price_share: float = 0.08
    energy_pct: float = 0.0
    sessions_pct: float = 0.0

    def __post_init__(self) -> None:
        """Refuse effects that no population can have."""
        if not -1 <= self.low_price_share <= 1:
            raise ValueError("the effect on the low-price share must lie between -1 and 1")
        if not _LEAST_ENERGY_PCT <= self.energy_pct <= _MOST_ENERGY_PCT:
            raise ValueError(
                f"the effect on energy must lie between {_LEAST_ENERGY_PCT} and"
                f" {_MOST_ENERGY_PCT} %"
            )
        if not -100 < self.sessions_pct < math.inf:
            raise ValueError("the effect on sessions must be above -100 %")


def days_added(
    free_users: np.ndarray,
    free_days: np.ndarray,
    sessions_per_day: np.ndarray,
    sessions: int,
    effects: Effects,
    seed: int,
) -> np.ndarray:
    """Return which days without a session get one under the signal, as ascending positions.

    Frequent users add more.

    Args:
        free_users: user of each day without a session, shape (free,).
        free_days: that day, days since 1970, shape (free,).
        sessions_per_day: expected sessions of that user per day, shape (free,).
        sessions: number of sessions without the signal.
        effects: the effects; nothing is added unless there are to be more sessions.
        seed: seed of the random numbers.

    Raises:
        ValueError: if there are too few days without a session.
    """
    wanted = max(round(sessions * effects.sessions_pct / 100), 0)
    if wanted > len(free_users):
        raise ValueError(
            f"the effect on sessions adds {wanted} sessions, but only {len(free_users)} days of"
            " users have none"
        )
    return _first(exponential(seed, "adds", free_users, free_days) / sessions_per_day, wanted)


def days_left_out(control: Sessions, effects: Effects, seed: int) -> np.ndarray:
    """Return which sessions are not made under the signal, as ascending positions."""
    wanted = max(round(-len(control) * effects.sessions_pct / 100), 0)
    return _first(exponential(seed, "leaves out", control.user, control.day), wanted)


def treated_sessions(
    made: Sessions,
    response: np.ndarray,
    control_low_share: float,
    effects: Effects,
    world: World,
) -> Sessions:
    """Return the sessions that are made under the signal, with their energy and their start.

    The share that starts in a low-price hour becomes `control_low_share` plus the effect, to the
    nearest session. Ready users move more sessions than others.

    Args:
        made: the sessions that are made under the signal, as they are without it.
        response: how readily the user of each session follows the signal, shape (sessions,).
        control_low_share: share of sessions without the signal that start in a low-price hour.
        effects: the effects.
        world: prices, clock and seed.

    Raises:
        ValueError: if fewer sessions can be moved than the effect needs.
    """
    energy_wh = np.rint(made.energy_wh * (1 + effects.energy_pct / 100)).astype(np.int64)
    treated = replace(made, energy_wh=energy_wh)
    calendar = world.calendar
    is_low = calendar.in_low_price_hour(made.start)
    wanted = round((control_low_share + effects.low_price_share) * len(made)) - int(is_low.sum())
    moved = _into_low_price(made, world) if wanted > 0 else _at_once(made)
    can_move = (calendar.in_low_price_hour(moved.start) != is_low) & (is_low == (wanted < 0))
    if abs(wanted) > can_move.sum():
        raise ValueError(
            f"the effect on the low-price share moves {abs(wanted)} sessions, but only"
            f" {can_move.sum()} of {len(made)} can be moved"
        )
    keys = exponential(world.seed, "moves", made.user, made.day) / response
    chosen = np.zeros(len(made), dtype=bool)
    chosen[_first(np.where(can_move, keys, np.inf), abs(wanted))] = True
    return replace(
        treated,
        plugin=np.where(chosen, moved.plugin, made.plugin),
        start=np.where(chosen, moved.start, made.start),
        plugout=np.where(chosen, moved.plugout, made.plugout),
    )


def _into_low_price(sessions: Sessions, world: World) -> Sessions:
    """Return the sessions as they start in the cheapest low-price hour of their stay.

    Where there is none the car comes in the evening and stays through the night, if it can. What
    can't be moved stays as it is.
    """
    within = world.calendar.cheapest_start(sessions.plugin, latest_start(sessions))
    drawn = uniform(world.seed, "evening", sessions.user, sessions.day) * _EVENING_MINUTES
    evening = local_minutes(sessions.day, _EVENING + drawn.astype(np.int64), world.clock)
    evening = np.maximum(evening, sessions.plugin)
    overnight = world.calendar.cheapest_start(evening, latest_start(sessions, sessions.must_leave))
    stays_over = (within == NO_HOUR) & (overnight != NO_HOUR)
    start = np.where(within != NO_HOUR, within, np.where(stays_over, overnight, sessions.start))
    time_to_charge = sessions.plugout - latest_start(sessions)
    return replace(
        sessions,
        plugin=np.where(stays_over, evening, sessions.plugin),
        start=start,
        plugout=np.where(
            stays_over, np.maximum(start + time_to_charge, sessions.plugout), sessions.plugout
        ),
    )


def _at_once(sessions: Sessions) -> Sessions:
    return replace(sessions, start=sessions.plugin)


def _first(keys: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of the `count` smallest keys, ascending."""
    return np.sort(np.argsort(keys, kind="stable")[:count])
