"""Damage done to the telemetry and the plug events of a fleet, and the record of what was damaged.

A stay is damaged at most once, and whether it is depends on the seed, the run, the driver and the
plug-in alone: more drivers, or drivers in other groups, are damaged alike.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np

from ev_charging.simulation.config import FleetConfig
from ev_charging.simulation.events import PLUG_OUT
from ev_charging.simulation.recorder import Table, Tables
from ev_charging.simulation.simulator import OPEN
from ev_charging.stateless_random import uniform

KINDS = (
    *("repeated_row", "late_event", "missing_interval", "register_reset"),
    *("unit_slip", "missing_plug_out", "clock_skew"),
)
REPEATED_ROW, LATE_EVENT, MISSING_INTERVAL, REGISTER_RESET = range(4)
UNIT_SLIP, MISSING_PLUG_OUT, CLOCK_SKEW = range(4, len(KINDS))
USUAL_SHARES = dict.fromkeys(KINDS, 0.004)

_WHOLE = len(KINDS)
_MINUTE_S, _HOUR_S = 60, 3600
_LATE_HOURS = (1, 12)
_MOST_MISSING = 3
_SKEW_MINUTES = (5, 50)
# Two stays that are moved towards each other must not touch.
_ROOM_S = 2 * _SKEW_MINUTES[1] * _MINUTE_S
# The tables of a day and of the next one hold every plug-in of so long, also in spring.
_KNOWN_S = 23 * _HOUR_S
# Places of instants after 1970 in a key of driver and instant.
_INSTANT_BITS = 34


def check_shares(shares: Mapping[str, float]) -> None:
    """Refuse shares that can't be.

    Raises:
        ValueError: a kind is unknown, a share lies outside 0 to 1, or all together exceed 1.
    """
    for kind, share in shares.items():
        if kind not in KINDS:
            raise ValueError(f"damage must be one of {', '.join(KINDS)}, not {kind}")
        if not 0 <= share <= 1:
            raise ValueError(
                f"the share of stays with {kind} must lie between 0 and 1, not {share}"
            )
    if sum(shares.values()) > 1:
        raise ValueError(f"damaged stays can't be {sum(shares.values()):g} of all stays")


def damaged_days(
    days: Iterable[Tables],
    config: FleetConfig,
    run_end_s: float,
    run_id: str,
    shares: Mapping[str, float] = USUAL_SHARES,
) -> Iterator[Tables]:
    """Yield the days of a fleet with damage in them, and the table `injected_damage`.

    A stay that is chosen and too short for its damage stays whole. The truth is left as it is.

    Args:
        days: tables of each day, as `Fleet.days` yields them; they are not changed.
        config: what the fleet was asked for.
        run_end_s: instant at which the run ends.
        run_id: name of the run; each has damage of its own.
        shares: share of the stays that each kind is chosen for.

    Raises:
        ValueError: see `check_shares`.
    """
    check_shares(shares)
    damage = _Damage(config, run_end_s, run_id, shares)
    for today, tomorrow in pairwise(chain(days, [{}])):
        yield damage.of_day(today, tomorrow)


@dataclass(frozen=True)
class _Stays:
    """Stays that begin on a day, ordered by driver and plug-in; one element per stay.

    Attributes:
        user: number of the driver.
        plugged_in_at: plug-in, an instant.
        plugged_out_at: plug-out, `OPEN` for none.
        kind: what they are damaged by, an index into `KINDS`; `_WHOLE` for nothing.
        may_be_early: whether nothing is touched if the stay is moved back.
        may_be_late: whether nothing is touched if it is moved forward.
    """

    user: np.ndarray
    plugged_in_at: np.ndarray
    plugged_out_at: np.ndarray
    kind: np.ndarray
    may_be_early: np.ndarray
    may_be_late: np.ndarray

    def of_rows(self, user: np.ndarray, instant: np.ndarray) -> np.ndarray:
        """Return the stay that each row of a driver and an instant belongs to."""
        return (
            np.searchsorted(_key(self.user, self.plugged_in_at), _key(user, instant), "right") - 1
        )


@dataclass(frozen=True)
class _Rows:
    """Rows of stays of one kind; those of a stay stand together, in order of time.

    Attributes:
        stay: the stays that have rows.
        first: place of the first row of each in `row`.
        count: number of its rows.
        row: place of each row in its table.
    """

    stay: np.ndarray
    first: np.ndarray
    count: np.ndarray
    row: np.ndarray

    @classmethod
    def of(cls, stays: _Stays, stay: np.ndarray, instant: np.ndarray, kind: int) -> "_Rows":
        """Return the rows of the stays of a kind.

        Args:
            stays: all stays of the day.
            stay: stay of each row of the table.
            instant: when each row is.
            kind: of the damage.
        """
        row = np.flatnonzero(stays.kind[stay] == kind)
        row = row[np.lexsort((instant[row], stay[row]))]
        found, first, count = np.unique(stay[row], return_index=True, return_counts=True)
        return cls(found, first, count, row)

    def at_least(self, count: int) -> "_Rows":
        """Return the stays that have so many rows."""
        keep = self.count >= count
        return _Rows(self.stay[keep], self.first[keep], self.count[keep], self.row)

    def take(self, number: np.ndarray) -> np.ndarray:
        """Return the row of each stay by its number from 0."""
        return self.row[self.first + number]


class _Damage:
    """The damage of a run, day by day."""

    def __init__(
        self, config: FleetConfig, run_end_s: float, run_id: str, shares: Mapping[str, float]
    ) -> None:
        self._first_user = config.first_user
        self._seed = config.seed
        self._run_end_s = int(run_end_s)
        self._run_id = run_id
        self._edges = np.cumsum([shares.get(kind, 0.0) for kind in KINDS])
        self._left_at = np.full(config.users, np.iinfo(np.int64).min // 2)
        # the reset of each driver's registers, if there was one
        self._reset_at = np.full(config.users, np.iinfo(np.int64).max)
        self._lost_wh = {
            name: np.zeros(config.users, dtype=np.int64) for name in ("import", "export")
        }

    def of_day(self, today: Tables, tomorrow: Tables) -> Tables:
        """Return the tables of a day, damaged."""
        if "session_truth" not in today:
            return today
        stays = self._stays(today["session_truth"], tomorrow)
        rows, logged = dict(today["telemetry"]), dict(today["plug_events"])
        row_stay = stays.of_rows(rows["user"], rows["starts_at"])
        event_stay = stays.of_rows(logged["user"], logged["occurred_at"])

        def rows_of(kind: int) -> _Rows:
            return _Rows.of(stays, row_stay, rows["starts_at"], kind)

        done = [self._reset_registers(stays, rows_of(REGISTER_RESET), rows)]
        for table, instant in ((rows, "starts_at"), (logged, "occurred_at")):
            self._lower_registers(table, instant)
        late = _Rows.of(stays, event_stay, logged["occurred_at"], LATE_EVENT)
        done.append(self._deliver_late(stays, late, logged))
        done.append(_slip_units(stays, rows_of(UNIT_SLIP), rows))
        copies, repeated = self._repeat(stays, rows_of(REPEATED_ROW), rows)
        lost, missing = self._lose_rows(stays, rows_of(MISSING_INTERVAL))
        unheard, silent = self._lose_plug_outs(stays, event_stay, logged)
        done += [repeated, missing, silent]
        done.append(self._set_clocks(stays, (row_stay, rows), (event_stay, logged)))

        kept = np.append(np.delete(np.arange(len(row_stay)), lost), copies)
        return today | {
            "telemetry": {name: values[kept] for name, values in rows.items()},
            "plug_events": {name: np.delete(values, unheard) for name, values in logged.items()},
            "injected_damage": {
                name: np.concatenate([table[name] for table in done]) for name in done[0]
            },
        }

    def _stays(self, truth: Table, tomorrow: Tables) -> _Stays:
        """Return the stays of a day with what happens to them."""
        order = np.lexsort((truth["plugged_in_at"], truth["user"]))
        user, begin, end = (
            truth[name][order] for name in ("user", "plugged_in_at", "plugged_out_at")
        )
        index = user - self._first_user
        follows = np.append(False, user[1:] == user[:-1])
        left_at = np.where(follows, np.roll(end, 1), self._left_at[index])
        self._left_at[index] = end
        known = _key(user, begin)
        if "session_truth" in tomorrow:
            later = tomorrow["session_truth"]
            known = np.sort(np.append(known, _key(later["user"], later["plugged_in_at"])))
        place = np.searchsorted(known, _key(user, begin), "right")
        following = np.append(known, np.iinfo(np.int64).max)[place]
        # the run must not end later than it does
        back_at = np.minimum(begin + _KNOWN_S, self._run_end_s)
        is_same = following >> _INSTANT_BITS == user
        back_at = np.where(is_same, np.minimum(following - _key(user, 0), back_at), back_at)
        is_closed = end != OPEN
        kind = np.searchsorted(self._edges, self._drawn("kind", user, begin), "right")
        return _Stays(
            user,
            begin,
            end,
            kind,
            may_be_early=is_closed & (begin - left_at > _ROOM_S),
            may_be_late=is_closed & (back_at - end > _ROOM_S),
        )

    def _drawn(self, channel: str, user: np.ndarray, plugged_in_at: np.ndarray) -> np.ndarray:
        return uniform(self._seed, f"damage {self._run_id} {channel}", user, plugged_in_at)

    def _chosen(
        self, channel: str, stays: _Stays, stay: np.ndarray, count: np.ndarray | int
    ) -> np.ndarray:
        """Return a number from 0 to below `count` for each of some stays."""
        drawn = self._drawn(channel, stays.user[stay], stays.plugged_in_at[stay])
        return np.floor(drawn * count).astype(np.int64)

    def _reset_registers(self, stays: _Stays, rows: _Rows, telemetry: Table) -> Table:
        """Let registers begin again at 0 with one of the rows of a stay, once per driver.

        Only where a register is lower at the end of the stay than at its begin: nobody could tell
        otherwise.
        """
        rows = rows.at_least(2)
        number = 1 + self._chosen("place", stays, rows.stay, rows.count - 1)
        before, last = rows.take(number - 1), rows.take(rows.count - 1)
        register = telemetry["import_register_wh"]
        at_begin = register[rows.take(0)] - telemetry["import_wh"][rows.take(0)]
        index = stays.user[rows.stay] - self._first_user
        falls = register[last] - register[before] < at_begin
        falls &= self._reset_at[index] == np.iinfo(np.int64).max
        # stays are ordered by driver: the first one of each
        falls[np.flatnonzero(falls)[1:]] &= np.diff(index[falls]) > 0
        index, before = index[falls], before[falls]
        self._reset_at[index] = telemetry["starts_at"][rows.take(number)[falls]]
        for name, lost_wh in self._lost_wh.items():
            lost_wh[index] = telemetry[f"{name}_register_wh"][before]
        return _record(stays, REGISTER_RESET, rows.stay[falls])

    def _lower_registers(self, table: Table, instant: str) -> None:
        index = table["user"] - self._first_user
        is_after = table[instant] >= self._reset_at[index]
        for name, lost_wh in self._lost_wh.items():
            column = f"{name}_register_wh"
            table[column] = table[column] - np.where(is_after, lost_wh[index], 0)

    def _deliver_late(self, stays: _Stays, events: _Rows, log: Table) -> Table:
        """Let an event of a stay arrive hours late."""
        row = events.take(self._chosen("place", stays, events.stay, events.count))
        earliest_s, latest_s = (hours * _HOUR_S for hours in _LATE_HOURS)
        delay_s = earliest_s + self._chosen("size", stays, events.stay, latest_s - earliest_s)
        log["received_at"] = log["received_at"].copy()
        log["received_at"][row] += delay_s
        return _record(stays, LATE_EVENT, events.stay, log["occurred_at"][row])

    def _repeat(self, stays: _Stays, rows: _Rows, telemetry: Table) -> tuple[np.ndarray, Table]:
        """Return the rows that are delivered twice, one per stay."""
        row = rows.take(self._chosen("place", stays, rows.stay, rows.count))
        return row, _record(stays, REPEATED_ROW, rows.stay, telemetry["starts_at"][row])

    def _lose_rows(self, stays: _Stays, rows: _Rows) -> tuple[np.ndarray, Table]:
        """Return rows that are not delivered, some in a row, never the first or the last."""
        rows = rows.at_least(3)
        count = np.minimum(
            1 + self._chosen("size", stays, rows.stay, _MOST_MISSING), rows.count - 2
        )
        first = 1 + self._chosen("place", stays, rows.stay, rows.count - 1 - count)
        number = np.arange(_MOST_MISSING)[:, None]
        lost = rows.row[(rows.first + first + number)[number < count]]
        return lost, _record(stays, MISSING_INTERVAL, rows.stay)

    def _lose_plug_outs(
        self, stays: _Stays, event_stay: np.ndarray, log: Table
    ) -> tuple[np.ndarray, Table]:
        """Return the plug-outs that are not delivered.

        One at the end of the run is: the stay would look like one that goes on.
        """
        loses = (stays.kind == MISSING_PLUG_OUT) & (stays.plugged_out_at < self._run_end_s)
        lost = np.flatnonzero(loses[event_stay] & (log["event"] == PLUG_OUT))
        return lost, _record(stays, MISSING_PLUG_OUT, event_stay[lost])

    def _set_clocks(self, stays: _Stays, *tables: tuple[np.ndarray, Table]) -> Table:
        """Move all that is stamped in a stay by whole minutes, back or forward."""
        chosen = stays.kind == CLOCK_SKEW
        chosen &= stays.may_be_early | stays.may_be_late
        skewed = np.flatnonzero(chosen)
        least, most = _SKEW_MINUTES
        minutes = least + self._chosen("size", stays, skewed, most - least + 1)
        is_late = self._chosen("place", stays, skewed, 2) == 1
        is_late = np.where(is_late, stays.may_be_late[skewed], ~stays.may_be_early[skewed])
        moved_s = np.zeros(len(stays.user), dtype=np.int64)
        moved_s[skewed] = np.where(is_late, minutes, -minutes) * _MINUTE_S
        for stay, table in tables:
            for name in {"starts_at", "ends_at", "occurred_at"} & set(table):
                table[name] = table[name] + moved_s[stay]
        return _record(stays, CLOCK_SKEW, skewed)


def _slip_units(stays: _Stays, rows: _Rows, telemetry: Table) -> Table:
    """Deliver the energy of all rows of a stay in Wh, where there is any."""
    names = ("import_wh", "export_wh")
    energy_wh = sum(telemetry[name] for name in names)
    of_stay = np.repeat(np.arange(len(rows.stay)), rows.count)
    slips = np.bincount(of_stay, energy_wh[rows.row], len(rows.stay)) > 0
    for name in names:
        telemetry[name] = telemetry[name].copy()
        telemetry[name][rows.row[slips[of_stay]]] *= 1000
    return _record(stays, UNIT_SLIP, rows.stay[slips])


def _record(
    stays: _Stays, kind: int, stay: np.ndarray, reference: np.ndarray | None = None
) -> Table:
    """Return rows of the truth about damage; without a reference, the plug-in is it."""
    return {
        "kind": np.full(len(stay), kind, dtype=np.int8),
        "user": stays.user[stay],
        "reference": stays.plugged_in_at[stay] if reference is None else reference,
    }


def _key(user: np.ndarray, instant: np.ndarray) -> np.ndarray:
    """Return numbers that are ordered by driver and instant."""
    return (user.astype(np.int64) << _INSTANT_BITS) + instant
