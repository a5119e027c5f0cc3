"""Users of the experiment: how often, when, how much they charge, and how they respond.

The figures that the habits are set to reproduce (energy per session of 13 kWh with a median of 9,
users that differ widely, each regular in itself) are those of Sorensen et al., Data in Brief 36
(2021) 107105.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from scipy.special import betaincinv

from ev_charging.stateless_random import normal, uniform

DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Segment:
    """What users of one segment have in common.

    Attributes:
        name: as delivered.
        share: share of the users.
        timed_share: share of its users who have the habit to charge when it is cheap.
        plugin_hour: mean hour of the plug-in on the local clock.
        plugin_spread_hours: standard deviation of that mean between users.
        stays_overnight: whether the car stays until the next morning, else for some hours.
        powers_kw: charging powers, each for an equal share of the users.
        response: how readily its users follow the signal, relative to others.
    """

    name: str
    share: float
    timed_share: float
    plugin_hour: float
    plugin_spread_hours: float
    stays_overnight: bool
    powers_kw: tuple[float, ...]
    response: float


SEGMENTS = (
    Segment("home", 0.55, 0.44, 18.0, 1.3, True, (3.6, 7.2, 7.2, 11.0), 1.0),
    Segment("apartment", 0.30, 0.36, 19.0, 1.6, True, (3.6, 3.6, 7.2, 7.2), 0.7),
    Segment("public", 0.15, 0.06, 10.5, 2.2, False, (11.0, 11.0, 22.0, 22.0), 0.4),
)
# Sessions per day follow a beta distribution whose parameters add up to this.
_INTENSITY_CONCENTRATION = 3.2
_TIMED_HABIT, _UNTIMED_HABIT = 0.96, 0.02
_ENERGY_MEDIAN_KWH = 9.6
_ENERGY_SPREAD_OF_USERS = 0.72
_RESPONSE_SPREAD = 1.2


@dataclass(frozen=True)
class Population:
    """Users; all arrays have the shape (users,) unless said otherwise.

    Attributes:
        user: number of the user, from 0.
        segment: place in SEGMENTS.
        sessions_per_day: expected sessions per day, between 0 and 1.
        weekday_rank: the weekdays, Monday first, by preference, from 0; shape (users, 7).
        timed_probability: probability that a session waits for the cheapest hour.
        plugin_hour: mean hour of the plug-in on the local clock.
        energy_median_kwh: median energy of a session.
        power_kw: charging power.
        response: how readily the user follows the signal, relative to others.
    """

    user: np.ndarray
    segment: np.ndarray
    sessions_per_day: np.ndarray
    weekday_rank: np.ndarray
    timed_probability: np.ndarray
    plugin_hour: np.ndarray
    energy_median_kwh: np.ndarray
    power_kw: np.ndarray
    response: np.ndarray

    def take(self, selection: np.ndarray) -> Self:
        """Return the users of a mask or of an array of positions, which may repeat."""
        return type(self)(*(getattr(self, field.name)[selection] for field in fields(self)))


def draw_population(
    first_user: int, users: int, sessions_per_user_and_week: float, seed: int
) -> Population:
    """Return users `first_user` and following; a user is the same among any others.

    Raises:
        ValueError: if the mean number of sessions isn't between 0 and 7 per week.
    """
    if not 0 < sessions_per_user_and_week < DAYS_PER_WEEK:
        raise ValueError("sessions per user and week must lie between 0 and 7")
    user = np.arange(first_user, first_user + users)
    shares = np.cumsum([segment.share for segment in SEGMENTS])[:-1]
    segment = np.searchsorted(shares, uniform(seed, "segment", user), side="right")

    mean = sessions_per_user_and_week / DAYS_PER_WEEK
    sessions_per_day = betaincinv(
        _INTENSITY_CONCENTRATION * mean,
        _INTENSITY_CONCENTRATION * (1 - mean),
        uniform(seed, "sessions per day", user),
    )
    preference = uniform(seed, "weekday", user[:, np.newaxis], np.arange(DAYS_PER_WEEK))
    is_timed = uniform(seed, "timed", user) < _of(segment, "timed_share")
    spread_hours = _of(segment, "plugin_spread_hours")
    powers = np.array([part.powers_kw for part in SEGMENTS])
    power_choice = (uniform(seed, "power", user) * powers.shape[1]).astype(np.int64)
    return Population(
        user=user,
        segment=segment,
        sessions_per_day=sessions_per_day,
        weekday_rank=np.argsort(np.argsort(preference, axis=1), axis=1),
        timed_probability=np.where(is_timed, _TIMED_HABIT, _UNTIMED_HABIT),
        plugin_hour=_of(segment, "plugin_hour") + spread_hours * normal(seed, "habit hour", user),
        energy_median_kwh=_ENERGY_MEDIAN_KWH
        * np.exp(_ENERGY_SPREAD_OF_USERS * normal(seed, "car", user)),
        power_kw=powers[segment, power_choice],
        response=_of(segment, "response") * np.exp(_RESPONSE_SPREAD * normal(seed, "reply", user)),
    )


def join_populations(parts: list[Population]) -> Population:
    """Return the users of all parts, one after the other.

    Raises:
        ValueError: if there is no part.
    """
    if not parts:
        raise ValueError("there are no users to join")
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Population))
    return Population(*(np.concatenate(column) for column in columns))


def _of(segment: np.ndarray, attribute: str) -> np.ndarray:
    return np.array([getattr(part, attribute) for part in SEGMENTS])[segment]
