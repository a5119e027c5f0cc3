"""What drivers do each day: when they leave and come home, how far they go, whether they plug in.

A day has at most two outings from home: the main one, to work or for the day, and another in the
evening. What happens depends on the driver, the day and the seed, never on the controller, except
that a low battery makes plugging in likelier.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ev_charging.simulation.clock import DAY_S, LocalClock
from ev_charging.simulation.config import FleetConfig
from ev_charging.simulation.population import Population
from ev_charging.stateless_random import normal, uniform

# Somebody leaves home at least once in so many days; so far ahead the next departure is looked for.
LONGEST_STAY_DAYS = 14
_NEVER = np.inf
_HOUR_S = 3600.0
_WORKDAY, _OTHER_DAY = 0, 1

_GOES_OUT = {_WORKDAY: 0.85, _OTHER_DAY: 0.67}
_RETURN_SPREAD_H = 3.15
_OTHER_DAY_RETURN_H = 0.9
_LEAVE_SPREAD_H = {_WORKDAY: 0.5, _OTHER_DAY: 1.5}
_SHORTEST_OUTING_S = 1_200.0
_LATEST_RETURN_S = DAY_S - 1_200.0
_EVENING_CHANCE = 0.66
_EVENING_PAUSE_H = (0.6, 3.9)
_EVENING_LENGTH_H = (0.5, 3.3)
_EVENING_PART = 0.41
_DISTANCE_SPREAD = 0.35
_COMMON_SPREAD = 0.37
_OTHER_DAY_DISTANCE = 1.1
_LOW_SOC, _LOW_SOC_WIDTH = 0.26, 0.03
_NEARLY_FULL = 0.13


@dataclass(frozen=True)
class Outings:
    """The n-th outing of a day, one element per driver.

    Attributes:
        leaves: whether there is one.
        leave_s: instant of leaving home; infinite where there is none.
        return_s: instant of coming home.
        distance_km: distance driven.
    """

    leaves: np.ndarray
    leave_s: np.ndarray
    return_s: np.ndarray
    distance_km: np.ndarray


class Behaviour:
    """The outings of a fleet, day after day, with a view of the departures to come."""

    def __init__(self, config: FleetConfig, population: Population, clock: LocalClock) -> None:
        """Prepare the days of a run; they are asked for in order."""
        self._config = config
        self._people = population
        self._clock = clock
        self._ahead: deque[tuple[Outings, ...]] = deque()
        self._next_day_s: int | None = None

    def outings(self, day_s: int) -> tuple[Outings, ...]:
        """Return the outings of the local day that begins at the wall-clock time `day_s`."""
        if self._next_day_s is None:
            self._next_day_s = day_s
        while len(self._ahead) <= LONGEST_STAY_DAYS:
            self._ahead.append(self._draw(self._next_day_s))
            self._next_day_s += DAY_S
        return self._ahead.popleft()

    def next_departure(self) -> np.ndarray:
        """Return when each driver leaves next, after the day asked for last."""
        departure = np.full(len(self._people.user), _NEVER)
        for outings in reversed(self._ahead):
            for outing in reversed(outings):
                departure = np.where(outing.leaves, outing.leave_s, departure)
        return departure

    def expected_departure(self, driver: np.ndarray, plugged_in_s: np.ndarray) -> np.ndarray:
        """Return the next usual time of leaving, all that a controller knows.

        Args:
            driver: index of the driver per stay.
            plugged_in_s: instant of plugging in per stay.
        """
        wall_s = self._clock.wall(plugged_in_s)
        day_s = np.floor(wall_s / DAY_S) * DAY_S
        usual_s = day_s + self._usual_leave(driver, day_s)
        tomorrow_s = day_s + DAY_S
        later_s = tomorrow_s + self._usual_leave(driver, tomorrow_s)
        return self._clock.instant(np.where(usual_s > wall_s, usual_s, later_s))

    def plugs_in(self, driver: np.ndarray, outing: int, day_s: int, soc: np.ndarray) -> np.ndarray:
        """Return which drivers plug in when they come home.

        Args:
            driver: index of the driver.
            outing: which outing of the day they come from.
            day_s: the day, as for `outings`.
            soc: state of charge on coming home, 0 to 1.
        """
        habit = self._people.habit[driver]
        user = self._people.user[driver]
        day = day_s // DAY_S
        if self._config.mode == "sketch":
            # every n-th day, where n needn't be whole
            phase = uniform(self._config.seed, "phase", user)
            return np.floor((day + 1) * habit + phase) > np.floor(day * habit + phase)
        need = 1 / (1 + np.exp((soc - _LOW_SOC) / _LOW_SOC_WIDTH))
        room = np.clip((self._people.target_soc[driver] - soc) / _NEARLY_FULL, 0, 1)
        chance = np.where(habit < 1, (habit + (1 - habit) * need) * room, 1.0)
        return uniform(self._config.seed, "plug_in", user, day, outing) < chance

    def _usual_leave(self, driver: np.ndarray, day_s: np.ndarray) -> np.ndarray:
        return self._people.leave_s[_kind_of_day(day_s), driver]

    def _draw(self, day_s: int) -> tuple[Outings, ...]:
        if self._config.mode == "sketch":
            return (self._verbatim(day_s),)
        return self._people_outings(day_s)

    def _verbatim(self, day_s: int) -> Outings:
        people = self._people
        return Outings(
            np.ones(len(people.user), dtype=bool),
            self._clock.instant(day_s + people.leave_s[_WORKDAY]),
            self._clock.instant(day_s + people.return_s),
            people.km_per_day,
        )

    def _people_outings(self, day_s: int) -> tuple[Outings, ...]:
        people = self._people
        day = day_s // DAY_S
        kind = int(_kind_of_day(np.array(day_s)))

        def chance(channel: str) -> np.ndarray:
            return uniform(self._config.seed, channel, people.user, day)

        def spread(channel: str) -> np.ndarray:
            return normal(self._config.seed, channel, people.user, day)

        must = (day + people.user) % LONGEST_STAY_DAYS == 0
        leaves = (chance("goes_out") < _GOES_OUT[kind]) | must
        leave_s = people.leave_s[kind] + _HOUR_S * _LEAVE_SPREAD_H[kind] * spread("leaves_at")
        leave_s = np.clip(leave_s, 3 * _HOUR_S, 20 * _HOUR_S)
        shift_h = _OTHER_DAY_RETURN_H if kind == _OTHER_DAY else 0.0
        return_s = people.return_s + _HOUR_S * (shift_h + _RETURN_SPREAD_H * spread("returns_at"))
        return_s = np.clip(return_s, leave_s + _SHORTEST_OUTING_S, _LATEST_RETURN_S)
        # mean 1 over outings and over the week, whatever the spread
        # weather and holidays are everybody's
        common = normal(self._config.seed, "day_of_all", day)
        factor = np.exp(
            _DISTANCE_SPREAD * spread("distance_of_day")
            + _COMMON_SPREAD * common
            - (_DISTANCE_SPREAD**2 + _COMMON_SPREAD**2) / 2
        )
        day_km = people.km_per_day * factor * _part_of_mean(kind)

        home_s = np.where(leaves, return_s, people.return_s)
        pause_s, length_s = (
            _HOUR_S * (low + (high - low) * chance(channel))
            for channel, (low, high) in (
                ("evening_pause", _EVENING_PAUSE_H),
                ("evening_length", _EVENING_LENGTH_H),
            )
        )
        evening_leave_s = home_s + pause_s
        evening_return_s = evening_leave_s + length_s
        evening = (chance("evening") < _EVENING_CHANCE) & (evening_return_s <= _LATEST_RETURN_S)
        evening_km = day_km * _EVENING_PART
        main_km = day_km - np.where(evening, evening_km, 0)
        return (
            self._outings(day_s, leaves, leave_s, return_s, main_km),
            self._outings(day_s, evening, evening_leave_s, evening_return_s, evening_km),
        )

    def _outings(
        self,
        day_s: int,
        leaves: np.ndarray,
        leave_s: np.ndarray,
        return_s: np.ndarray,
        distance_km: np.ndarray,
    ) -> Outings:
        # people look at the clock by the second
        left_s = self._clock.instant(np.rint(day_s + leave_s))
        back_s = self._clock.instant(np.rint(day_s + return_s))
        # a clock that is put forward must not bring anybody home before they left
        back_s = np.maximum(back_s, left_s + 60)
        return Outings(leaves, np.where(leaves, left_s, _NEVER), back_s, distance_km)


def _kind_of_day(day_s: np.ndarray) -> np.ndarray:
    # 1970-01-01 was a Thursday
    weekday = (np.asarray(day_s) // DAY_S + 3) % 7
    return (weekday >= 5).astype(np.int64)


def _part_of_mean(kind: int) -> float:
    """Return how far a day with a main outing goes, in mean distances of a day.

    A week together comes to seven of them.
    """
    factor = {_WORKDAY: 1.0, _OTHER_DAY: _OTHER_DAY_DISTANCE}
    evening = _EVENING_CHANCE * _EVENING_PART
    week = sum(
        days * factor[kind] * (_GOES_OUT[kind] + (1 - _GOES_OUT[kind]) * evening)
        for kind, days in ((_WORKDAY, 5), (_OTHER_DAY, 2))
    )
    return 7 * factor[kind] / week
