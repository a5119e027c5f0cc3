"""Sessions that real charging reports contain and that are easily missed by chance.

All of them are good rows: odd, but not impossible.
"""

from dataclasses import dataclass, replace

import numpy as np

from ev_charging.residential.charging_reports import (
    DAY_S,
    Sessions,
    in_order_of_plugin,
    join_sessions,
    overlaps,
)
from ev_charging.residential.local_clock import HOUR_S, LocalClock
from ev_charging.residential.neighbourhood import ChargingUser

_MINUTE_S = 60
_CLOCK_ERRORS_PER_EPISODE = 3

# Identifiers are text, whatever they look like: a formula, a statement, a path.
GUESTS = (
    ChargingUser("=1+2", "Lia1", "Shared-1"),
    ChargingUser("DROP TABLE users --", "Lia1", "Shared-1"),
    ChargingUser("../../etc/passwd", "Sol4", "Shared-2"),
)


@dataclass(frozen=True)
class _Special:
    """One session: user, plug-in (s, UTC), duration (s), energy (Wh)."""

    user_id: str
    plugin_s: int
    duration_s: int
    energy_wh: int
    is_open: bool = False


def with_special_sessions(
    sessions: Sessions, users: tuple[ChargingUser, ...], clock: LocalClock, year: int
) -> Sessions:
    """Return the sessions with the special ones added, ordered by plug-in.

    Sessions in the way of a special one at the same charge point are left out, so that the
    only overlap is the intended one.

    Raises:
        ValueError: if a special session belongs to a user that is not in `users`.
    """
    index_of = {user.user_id: index for index, user in enumerate(users)}
    regular = [*_at_the_clock_changes(clock), *_on_ordinary_days(clock, year)]
    unknown = {special.user_id for special in regular} - set(index_of)
    if unknown:
        raise ValueError(f"special sessions of unknown users: {', '.join(sorted(unknown))}")
    added = _as_sessions(regular, index_of)
    overlapping = _as_sessions([_overlapping(clock, year)], index_of)

    points = np.array([user.charge_point for user in users])
    kept = [
        part.take(~overlaps(part, added.take(points[added.user] == point)))
        for point in sorted(set(points))
        for part in [sessions.take(points[sessions.user] == point)]
    ]
    ordered = in_order_of_plugin(join_sessions([*kept, added, overlapping]))
    return _with_clock_errors(ordered, users, clock, year)


def _at_the_clock_changes(clock: LocalClock) -> list[_Special]:
    # The margins of the clock reach into the neighbouring years' winters only.
    spring_s = int(clock.changes_s(forward=True)[0])
    autumn_s = int(clock.changes_s(forward=False)[0])
    return [
        # Charging through the spring change.
        _Special("Lia1-1", spring_s - 200 * _MINUTE_S + 12, 41_418, 31_400),
        # Charging through the repeated hour, part of which the hourly loads lose.
        _Special("Eng2-1", autumn_s - 235 * _MINUTE_S + 41, 43_011, 42_160),
        # Plugged in during the repeated hour: its duration tells that it is the first one ...
        _Special("Hav3-2", autumn_s - 40 * _MINUTE_S + 9, 24_745, 11_820),
        # ... and here nothing tells which one it is.
        _Special("Sol4-1", autumn_s + 35 * _MINUTE_S + 27, 20_000, 7_340, is_open=True),
    ]


def _on_ordinary_days(clock: LocalClock, year: int) -> list[_Special]:
    return [
        # A car left plugged in over the holidays, longer than 14 days.
        _Special("Hav3-1", _instant(clock, year, "07-06 10:12:33"), 15 * DAY_S + 27_655, 38_470),
        # The car that another one overlaps, see `_overlapping`.
        _Special("Eng2-2", _instant(clock, year, "05-14 17:05:18"), 50_427, 22_050),
        # Connected, but nothing charged.
        _Special("Lia1-2", _instant(clock, year, "11-19 16:48:02"), 12_256, 0),
        _Special(GUESTS[0].user_id, _instant(clock, year, "04-11 10:20:44"), 4_205, 3_910),
        _Special(GUESTS[1].user_id, _instant(clock, year, "08-20 09:35:10"), 7_730, 6_020),
        _Special(GUESTS[2].user_id, _instant(clock, year, "10-03 11:02:57"), 5_461, 5_180),
    ]


def _overlapping(clock: LocalClock, year: int) -> _Special:
    return _Special("Eng2-2", _instant(clock, year, "05-14 19:31:50"), 7_325, 5_760)


def _as_sessions(specials: list[_Special], index_of: dict[str, int]) -> Sessions:
    return Sessions(
        user=np.array([index_of[special.user_id] for special in specials]),
        plugin_s=np.array([special.plugin_s for special in specials]),
        duration_s=np.array([special.duration_s for special in specials]),
        energy_wh=np.array([special.energy_wh for special in specials]),
        is_open=np.array([special.is_open for special in specials]),
        plugout_clock_error_s=np.zeros(len(specials), dtype=np.int64),
    )


def _with_clock_errors(
    sessions: Sessions, users: tuple[ChargingUser, ...], clock: LocalClock, year: int
) -> Sessions:
    """Return the sessions with two episodes in which a garage stamped plug-outs wrongly.

    After the spring change one garage's clock is an hour behind, and in June another's is two
    hours ahead; the reported durations are right.
    """
    spring_s = int(clock.changes_s(forward=True)[0])
    june_s = _instant(clock, year, "06-22 00:00:00")
    garages = np.array([user.garage_id for user in users])[sessions.user]
    # Long enough that the wrong plug-out is still after the plug-in.
    eligible = ~sessions.is_open & (sessions.duration_s > 4 * HOUR_S)
    error_s = sessions.plugout_clock_error_s.copy()
    for garage, since_s, shift_s in (("Hav3", spring_s, -HOUR_S), ("Lia1", june_s, 2 * HOUR_S)):
        of_garage = (garages == garage) & (sessions.plugin_s > since_s) & eligible
        error_s[np.flatnonzero(of_garage)[:_CLOCK_ERRORS_PER_EPISODE]] = shift_s
    return replace(sessions, plugout_clock_error_s=error_s)


def _instant(clock: LocalClock, year: int, local: str) -> int:
    day, time = local.split(" ")
    local_s = np.datetime64(f"{year}-{day}T{time}", "s").astype(np.int64)
    return int(clock.utc_seconds(local_s))
