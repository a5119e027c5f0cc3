"""Charging sessions without a signal: on which days, from when to when, how much energy.

A user plugs in at most once a day, after half past seven, and is gone before the next plug-in. A
session that is not made changes nothing about the others.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from ev_charging.experiment_feed.population import DAYS_PER_WEEK, SEGMENTS, Population
from ev_charging.experiment_feed.price_calendar import NO_HOUR
from ev_charging.experiment_feed.world import World
from ev_charging.residential.local_clock import LocalClock
from ev_charging.stateless_random import normal, uniform

DAY_MINUTES = 24 * 60
# A stay has room for this much more energy, so that an effect on energy moves no session.
ENERGY_ROOM = 1.25

_HABIT_STRENGTH = 0.92
_EARLIEST_PLUGIN, _LATEST_PLUGIN = 7 * 60 + 45, 23 * 60 + 50
_EARLIEST_OVERNIGHT_PLUGIN = 12 * 60
_PLUGIN_SPREAD_HOURS = 1.3
_PLUGOUT_MEAN, _PLUGOUT_SPREAD = 7 * 60 + 20, 55
_EARLIEST_PLUGOUT, _LATEST_PLUGOUT = 5 * 60 + 30, 11 * 60 + 30
_WEEKEND_DELAY = 80
_STAY_MEDIAN_HOURS, _STAY_SPREAD = 3.6, 0.5
_SHORTEST_STAY, _LONGEST_STAY = 50, 9 * 60
_GAP = 10
_LONGEST_START_DELAY = 3
_ENERGY_SPREAD = 0.42
_LEAST_KWH, _MOST_KWH = 0.4, 70.0
_THURSDAY = 3


@dataclass(frozen=True)
class Sessions:
    """Charging sessions; all arrays have the shape (sessions,), instants are minutes since 1970.

    Attributes:
        user: number of the user.
        day: local day of the plug-in, days since 1970.
        plugin: plug-in.
        start: when energy begins to flow.
        plugout: plug-out.
        must_leave: the latest possible plug-out.
        energy_wh: energy.
        power_kw: charging power.
    """

    user: np.ndarray
    day: np.ndarray
    plugin: np.ndarray
    start: np.ndarray
    plugout: np.ndarray
    must_leave: np.ndarray
    energy_wh: np.ndarray
    power_kw: np.ndarray

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.user)

    @property
    def charging_minutes(self) -> np.ndarray:
        """Return the whole minutes that charging takes, at least 1."""
        return minutes_to_charge(self.energy_wh, self.power_kw)

    @property
    def end(self) -> np.ndarray:
        """Return when energy ceases to flow."""
        return self.start + self.charging_minutes

    def take(self, selection: np.ndarray) -> Self:
        """Return the sessions of a mask or of an array of positions."""
        return type(self)(*(getattr(self, field.name)[selection] for field in fields(self)))


def join_sessions(parts: list[Sessions]) -> Sessions:
    """Return the sessions of all parts, one after the other.

    Raises:
        ValueError: if there is no part.
    """
    if not parts:
        raise ValueError("there are no sessions to join")
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Sessions))
    return Sessions(*(np.concatenate(column) for column in columns))


def minutes_to_charge(energy_wh: np.ndarray, power_kw: np.ndarray) -> np.ndarray:
    """Return the whole minutes that the energy takes at a power, at least 1."""
    return np.maximum(np.ceil(energy_wh * 0.06 / power_kw).astype(np.int64), 1)


def charging_days(
    population: Population, first_day: int, days: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return on which days the users charge, and which days they leave out.

    A user charges on the weekdays of their habit and now and then on another: the number of
    sessions varies much less than that of a Poisson process.

    Returns:
        Two arrays of pairs (position in the population, days since 1970), shape (pairs, 2), in
        order of user and day.
    """
    day = np.arange(first_day, first_day + days)
    wanted = population.sessions_per_day * DAYS_PER_WEEK
    habit = np.clip(wanted[:, np.newaxis] - population.weekday_rank, 0, 1)
    chance = population.sessions_per_day[:, np.newaxis]
    probability = _HABIT_STRENGTH * habit + (1 - _HABIT_STRENGTH) * chance
    drawn = uniform(seed, "charges", population.user[:, np.newaxis], day)
    charges = drawn < probability[:, (day + _THURSDAY) % DAYS_PER_WEEK]
    shift = np.array([0, first_day])
    return np.argwhere(charges) + shift, np.argwhere(~charges) + shift


def sessions_on(population: Population, pairs: np.ndarray, world: World) -> Sessions:
    """Return one session for each pair (position in the population, days since 1970)."""
    clock, seed = world.clock, world.seed
    who, day = population.take(pairs[:, 0]), pairs[:, 1]
    plugin = _plugins(who, day, clock, seed)
    must_leave = _plugins(who, day + 1, clock, seed) - _GAP
    plugout = np.minimum(_plugouts(who, day, plugin, clock, seed), must_leave)

    start = plugin + (uniform(seed, "delay", who.user, day) * _LONGEST_START_DELAY).astype(np.int64)
    spread = np.exp(_ENERGY_SPREAD * normal(seed, "energy", who.user, day))
    wanted_kwh = np.clip(who.energy_median_kwh * spread, _LEAST_KWH, _MOST_KWH)
    # Whole minutes are rounded up, which the last minute is kept for.
    possible_kwh = who.power_kw * (plugout - start - 1) / 60 / ENERGY_ROOM
    energy_wh = (np.minimum(wanted_kwh, possible_kwh) * 1000).astype(np.int64)
    at_once = Sessions(who.user, day, plugin, start, plugout, must_leave, energy_wh, who.power_kw)

    is_timed = uniform(seed, "waits", who.user, day) < who.timed_probability
    cheapest = world.calendar.cheapest_start(start, latest_start(at_once))
    waits = is_timed & (cheapest != NO_HOUR)
    return replace(at_once, start=np.where(waits, cheapest, start))


def latest_start(sessions: Sessions, leaves: np.ndarray | None = None) -> np.ndarray:
    """Return the latest start with which a session ends before it `leaves` (its plug-out).

    There is time for ENERGY_ROOM times the energy.
    """
    leaves = sessions.plugout if leaves is None else leaves
    most_wh = np.ceil(sessions.energy_wh * ENERGY_ROOM)
    return leaves - minutes_to_charge(most_wh, sessions.power_kw)


def local_minutes(day: np.ndarray, minute_of_day: np.ndarray, clock: LocalClock) -> np.ndarray:
    """Return the instants, minutes since 1970, of times on the local clock."""
    return clock.utc_seconds((day * DAY_MINUTES + minute_of_day) * 60) // 60


def _plugins(who: Population, day: np.ndarray, clock: LocalClock, seed: int) -> np.ndarray:
    noise = _PLUGIN_SPREAD_HOURS * normal(seed, "plug-in", who.user, day)
    minute = ((who.plugin_hour + noise) * 60).astype(np.int64)
    earliest = np.where(_stays_overnight(who), _EARLIEST_OVERNIGHT_PLUGIN, _EARLIEST_PLUGIN)
    # Times beyond a bound are mirrored at it, so that none is more frequent than others.
    minute = _LATEST_PLUGIN - np.abs(_LATEST_PLUGIN - minute)
    minute = np.minimum(earliest + np.abs(minute - earliest), _LATEST_PLUGIN)
    return local_minutes(day, minute, clock)


def _plugouts(
    who: Population, day: np.ndarray, plugin: np.ndarray, clock: LocalClock, seed: int
) -> np.ndarray:
    noise = normal(seed, "plug-out", who.user, day)
    is_free_morning = (day + 1 + _THURSDAY) % DAYS_PER_WEEK >= 5
    morning = _PLUGOUT_MEAN + _WEEKEND_DELAY * is_free_morning + _PLUGOUT_SPREAD * noise
    morning = np.clip(morning, _EARLIEST_PLUGOUT, _LATEST_PLUGOUT).astype(np.int64)
    stay = _STAY_MEDIAN_HOURS * 60 * np.exp(_STAY_SPREAD * noise)
    stay = np.clip(stay, _SHORTEST_STAY, _LONGEST_STAY).astype(np.int64)
    return np.where(_stays_overnight(who), local_minutes(day + 1, morning, clock), plugin + stay)


def _stays_overnight(who: Population) -> np.ndarray:
    return np.array([segment.stays_overnight for segment in SEGMENTS])[who.segment]
