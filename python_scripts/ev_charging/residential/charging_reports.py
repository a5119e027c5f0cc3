"""Charging sessions of users over one year: when they plug in, how long, how much energy.

The figures that the habits are set to reproduce (about 13 kWh per session with a median of 9,
about 12 hours connected, plug-in mostly in the late afternoon and evening, users that differ
widely) are those of Sorensen et al., Data in Brief 36 (2021) 107105.
"""

from dataclasses import dataclass, fields
from functools import reduce
from typing import Self

import numpy as np

from ev_charging.residential.hourly_loads import NO_DURATION, PROFILES_WH_PER_S
from ev_charging.residential.local_clock import HOUR_S, LocalClock, year_bounds_s
from ev_charging.residential.neighbourhood import ChargingUser

DAY_S = 24 * HOUR_S
_MINUTE_S = 60
_ENERGY_STEP_WH = 10
_SMALLEST_GAP_S = 5 * _MINUTE_S
_LONGEST_CUT_S = 4 * HOUR_S
_SHORTEST_STAY_S = 20

# Purposes of the random streams: one number each, so that a new purpose moves no other stream.
_HABITS, _SESSIONS = 0, 1


@dataclass(frozen=True)
class Sessions:
    """Charging sessions; all arrays have the shape (sessions,).

    Attributes:
        user: index of the user in the neighbourhood.
        plugin_s: plug-in instant, seconds since 1970 (UTC).
        duration_s: time connected, s.
        energy_wh: energy charged, Wh, a multiple of 10.
        is_open: whether the plug-out was never reported.
        plugout_clock_error_s: how far the clock that stamped the plug-out was ahead, s.
    """

    user: np.ndarray
    plugin_s: np.ndarray
    duration_s: np.ndarray
    energy_wh: np.ndarray
    is_open: np.ndarray
    plugout_clock_error_s: np.ndarray

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.user)

    def take(self, selection: np.ndarray) -> Self:
        """Return the sessions of a mask or of an array of positions."""
        return type(self)(*(getattr(self, field.name)[selection] for field in fields(self)))

    @property
    def reported_duration_s(self) -> np.ndarray:
        """Return the duration as reported: NO_DURATION where there is no plug-out."""
        return np.where(self.is_open, NO_DURATION, self.duration_s)

    @property
    def plugout_s(self) -> np.ndarray:
        """Return the true plug-out instant, seconds since 1970 (UTC)."""
        return self.plugin_s + self.duration_s


@dataclass(frozen=True)
class _Habits:
    """What distinguishes one user from another."""

    plugins_per_day: float
    second_plugin_share: float
    plugin_hour: float
    energy_median_kwh: float
    charger_wh_per_s: float
    stay_shares: np.ndarray


def join_sessions(parts: list[Sessions]) -> Sessions:
    """Return the sessions of all parts, one after the other.

    Raises:
        ValueError: if there is no part.
    """
    if not parts:
        raise ValueError("there are no sessions to join")
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Sessions))
    return Sessions(*(np.concatenate(column) for column in columns))


def in_order_of_plugin(sessions: Sessions) -> Sessions:
    """Return the sessions ordered by plug-in instant, then by user."""
    return sessions.take(np.lexsort((sessions.user, sessions.plugin_s)))


def user_sessions(
    user: ChargingUser, user_index: int, clock: LocalClock, year: int, seed: int
) -> Sessions:
    """Return one user's sessions of a local calendar year, ordered, none overlapping another.

    The random numbers depend on `seed` and `user_index` alone. Sessions whose loads would
    reach into the next year are left out.
    """
    habits = _draw_habits(_stream(seed, _HABITS, user_index))
    rng = _stream(seed, _SESSIONS, user_index)
    year_start_s, year_end_s = year_bounds_s(clock, year)
    first_day_s = int(clock.local_seconds(np.int64(year_start_s)))
    days = round((year_end_s - year_start_s) / DAY_S)

    local_s = _plugins(habits, rng, first_day_s, days)
    stay_s = _stays(habits, rng, local_s)
    plugin_s = clock.utc_seconds(local_s)
    plugout_s = clock.utc_seconds(local_s + stay_s)
    ready = plugin_s >= year_start_s + user.joins_on_day * DAY_S
    plugin_s, duration_s = _without_overlaps(rng, plugin_s[ready], plugout_s[ready])

    sessions = Sessions(
        user=np.full(len(plugin_s), user_index, dtype=np.int64),
        plugin_s=plugin_s,
        duration_s=duration_s,
        energy_wh=_energies(habits, rng, plugin_s, duration_s, year_start_s),
        is_open=rng.random(len(plugin_s)) < 0.005,
        plugout_clock_error_s=np.zeros(len(plugin_s), dtype=np.int64),
    )
    return sessions.take(_last_effect_s(sessions) < year_end_s)


def neighbourhood_sessions(
    users: tuple[ChargingUser, ...], clock: LocalClock, year: int, seed: int, first_index: int = 0
) -> Sessions:
    """Return the sessions of all users, user by user, none overlapping at a charge point.

    Where two users want a shared charge point at once, the one listed first has it.
    """
    taken: dict[str, Sessions] = {}
    for index, user in enumerate(users, start=first_index):
        wanted = user_sessions(user, index, clock, year, seed)
        held = taken.get(user.charge_point)
        if held is not None:
            wanted = join_sessions([held, wanted.take(~overlaps(wanted, held))])
        taken[user.charge_point] = wanted
    return join_sessions(list(taken.values()))


def overlaps(sessions: Sessions, others: Sessions) -> np.ndarray:
    """Return for each of `sessions` whether it overlaps any of `others`, shape (sessions,)."""
    starts_before_end = sessions.plugin_s[:, None] <= others.plugout_s[None, :]
    ends_after_start = sessions.plugout_s[:, None] >= others.plugin_s[None, :]
    return np.any(starts_before_end & ends_after_start, axis=1)


def _stream(seed: int, purpose: int, user_index: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, user_index)))


def _draw_habits(rng: np.random.Generator) -> _Habits:
    return _Habits(
        plugins_per_day=min(0.33 * float(rng.lognormal(0.0, 0.75)), 0.92),
        second_plugin_share=float(rng.uniform(0.02, 0.25)),
        plugin_hour=float(rng.normal(18.0, 1.2)),
        energy_median_kwh=12.0 * float(rng.lognormal(0.0, 0.4)),
        charger_wh_per_s=float(rng.choice([0.62, 1.0, 2.0], p=[0.1, 0.35, 0.55])),
        stay_shares=rng.dirichlet([6.0, 7.0, 1.5]),
    )


def _plugins(habits: _Habits, rng: np.random.Generator, first_day_s: int, days: int) -> np.ndarray:
    """Return the local plug-in times in ascending order, at least 10 minutes apart."""
    day_s = first_day_s + np.arange(days) * DAY_S
    # 1 January 1970 was a Thursday.
    weekend = (day_s // DAY_S + 3) % 7 >= 5
    share = habits.plugins_per_day * np.where(weekend, 0.85, 1.06)
    hour = habits.plugin_hour + rng.normal(0.0, 2.4, days) - np.where(weekend, 1.3, 0.0)
    main_s = day_s + (hour * HOUR_S).astype(np.int64)
    second_s = day_s + rng.integers(9 * HOUR_S, 23 * HOUR_S, days)
    main = rng.random(days) < share
    second = rng.random(days) < share * habits.second_plugin_share
    local_s = np.sort(np.concatenate([main_s[main], second_s[second]]))
    return local_s[np.diff(local_s, prepend=local_s[:1] - DAY_S) >= 10 * _MINUTE_S]


def _stays(habits: _Habits, rng: np.random.Generator, local_s: np.ndarray) -> np.ndarray:
    """Return how long each car stays on the wall clock, s: short, overnight or for days."""
    count = len(local_s)
    kind = rng.choice(3, count, p=habits.stay_shares)
    short_s = HOUR_S * rng.lognormal(np.log(2.1), 0.8, count)
    next_day_s = (local_s // DAY_S + 1) * DAY_S
    weekend = (next_day_s // DAY_S + 3) % 7 >= 5
    leave_hour = np.where(weekend, rng.normal(10.0, 2.5, count), rng.normal(7.4, 1.6, count))
    overnight_s = next_day_s + leave_hour * HOUR_S - local_s
    # Whoever plugs in after midnight leaves the same morning, or else the next one.
    overnight_s = np.where(overnight_s > 24 * HOUR_S, overnight_s - DAY_S, overnight_s)
    overnight_s = np.where(overnight_s < HOUR_S / 2, overnight_s + DAY_S, overnight_s)
    days_s = overnight_s + DAY_S * rng.geometric(0.6, count) + rng.normal(4, 2, count) * HOUR_S
    stay_s = np.select([kind == 0, kind == 1], [short_s, overnight_s], days_s)
    return np.maximum(stay_s, _SHORTEST_STAY_S).astype(np.int64)


def _without_overlaps(
    rng: np.random.Generator, plugin_s: np.ndarray, plugout_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return plug-ins and durations, each stay ended before the user's next plug-in."""
    order = np.argsort(plugin_s, kind="stable")
    plugin_s, plugout_s = plugin_s[order], plugout_s[order]
    # The clock changes can bring two plug-ins together that are apart on the wall clock.
    apart = np.diff(plugin_s, append=plugin_s[-1:] + DAY_S) > _SMALLEST_GAP_S
    plugin_s, plugout_s = plugin_s[apart], plugout_s[apart]
    until_next_s = np.diff(plugin_s, append=plugin_s[-1:] + 60 * DAY_S)
    away_s = rng.integers(_MINUTE_S, _LONGEST_CUT_S, len(plugin_s))
    latest_s = plugin_s + until_next_s - np.minimum(away_s, until_next_s // 2)
    duration_s = np.minimum(plugout_s, latest_s) - plugin_s
    return plugin_s, np.maximum(duration_s, _SHORTEST_STAY_S)


def _energies(
    habits: _Habits,
    rng: np.random.Generator,
    plugin_s: np.ndarray,
    duration_s: np.ndarray,
    year_start_s: int,
) -> np.ndarray:
    """Return energies in Wh, multiples of 10, within what the charger delivers in the stay."""
    count = len(plugin_s)
    phase = 2 * np.pi * (plugin_s - year_start_s) / (365 * DAY_S)
    winter = 1 + 0.15 * np.cos(phase)
    wanted_wh = 1000 * habits.energy_median_kwh * winter * rng.lognormal(0.0, 0.78, count)
    deliverable_wh = duration_s * habits.charger_wh_per_s * rng.uniform(0.9, 1.0, count)
    energy_wh = reduce(np.minimum, (wanted_wh, deliverable_wh, np.full(count, 80_000.0)))
    steps = np.maximum(energy_wh // _ENERGY_STEP_WH, 1)
    return steps.astype(np.int64) * _ENERGY_STEP_WH


def _last_effect_s(sessions: Sessions) -> np.ndarray:
    """Return an instant after which a session has no more loads at any profile."""
    slowest = min(PROFILES_WH_PER_S)
    charged_s = sessions.plugin_s + sessions.energy_wh // slowest
    return np.maximum(charged_s, sessions.plugout_s) + 3 * HOUR_S
