"""Damage done to the messages of one charger, and the record of what was damaged.

A place is damaged at most once, and never so near to an outage that the outage would change: what
is not recorded as damaged is as it was.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from ev_charging.network_feed.attempt import CACHED, PLUG_IN_FIRST, Attempt
from ev_charging.network_feed.charger import (
    ACTION,
    FROM_CHARGER,
    MESSAGE_ID,
    NUMBER,
    PAYLOAD,
    RECEIVED,
    STAMP,
    TRANSACTION,
    Row,
)
from ev_charging.network_feed.downtime import StationState
from ev_charging.network_feed.draws import Draws
from ev_charging.network_feed.instants import DAY_S, HOUR_S, MINUTE_S, stamp, utc_day
from ev_charging.network_feed.payloads import (
    highest_wh,
    is_sample,
    lowered,
    moved,
    with_register,
    without_token,
)

REPEATED, LATE, RESET, MISSING_STOP, CLOCK_OFF, UNKNOWN_DRIVER, UNREADABLE = KINDS = (
    *("repeated_message", "late_message", "register_reset", "missing_stop"),
    *("clock_off", "unknown_driver", "unreadable_register"),
)
LATE_S = 300

# Share of the messages, of the transactions or of the days that are damaged.
_REPEATED, _CLOCK_OFF = 0.002, 0.012
_SHARES = {LATE: 0.008, RESET: 0.006, MISSING_STOP: 0.006, UNKNOWN_DRIVER: 0.012, UNREADABLE: 0.008}
_CLOCK_ERRORS_S = (7 * MINUTE_S, -11 * MINUTE_S, 19 * MINUTE_S, -4 * MINUTE_S)
_FEWEST_STAMPS, _MOSTLY = 12, 4
_UNREADABLE_TEXTS = ("NaN", "12,5", "overflow", "1.2.3")


@dataclass(slots=True)
class Damage:
    """The log of a charger while it is damaged.

    Attributes:
        rows: the log, by number of the message.
        copies: messages that are delivered once more.
        done: (kind, charger, reference).
        touched: numbers of the messages that are damaged.
        days_off: by how many seconds the clock is wrong on a day, days since 1970.
        answers: payload of the answer to each request of the charger, by message id.
        in_time: number of messages with a stamp that were received on a day.
    """

    state: StationState
    start: int
    end: int
    draws: Draws
    rows: dict[int, Row]
    copies: list[Row] = field(default_factory=list)
    done: list[tuple[str, str, str]] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    days_off: dict[int, int] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    in_time: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Look up what the damage depends on."""
        for row in self.rows.values():
            if not row[FROM_CHARGER]:
                self.answers[row[MESSAGE_ID]] = row[PAYLOAD]
            elif row[STAMP] is not None:
                self.in_time[row[RECEIVED] // DAY_S] += 1

    def record(self, kind: str, reference: str, *rows: Row) -> None:
        """Remember what is damaged."""
        self.done.append((kind, self.state.station.station_id, reference))
        self.touched.update(row[NUMBER] for row in rows)

    def is_calm(self, begin: int, end: int) -> bool:
        """Return whether the charger was online all the time, and before and after."""
        near = self.state.heartbeat_s * 3
        begin, end = begin - near, end + near
        if begin < self.start or end > self.end:
            return False
        return not any(a < end and begin < b for a, b in self.state.silent)


def damage_messages(
    state: StationState,
    attempts: list[Attempt],
    start: int,
    end: int,
    seed: int,
    factor: float = 1.0,
    spared: frozenset[str] = frozenset(),
) -> tuple[list[Row], list[tuple[str, str, str]]]:
    """Damage the log of a charger.

    Args:
        state: a station of which everything has happened.
        attempts: its attempts.
        start: begin of the messages, seconds since 1970.
        end: their end.
        seed: seed of the random numbers.
        factor: how many times the usual damage is done.
        spared: ids of attempts whose transaction stays whole.

    Returns:
        The rows of the log as they are delivered, and (kind, charger, reference) of each damage.
    """
    draws = Draws(seed, "damage", state.station.number)
    damage = Damage(state, start, end, draws, {row[NUMBER]: row for row in state.charger.rows})
    transactions = _rows_by_transaction(state.charger.rows)
    _choose_days(damage, attempts, factor)
    whole = [
        one
        for one in sorted(attempts, key=lambda one: one.started_at)
        if one.transaction_ended_at is not None and one.attempt_id not in spared
    ]
    shares = {kind: share * factor for kind, share in _SHARES.items()}
    for one in whole:
        share = draws.uniform()
        for kind, probability in shares.items():
            if share < probability:
                _DAMAGES[kind](damage, one, transactions[one.transaction_id])
                break
            share -= probability
    _set_clocks(damage)
    _repeat(damage, factor)
    delivered = sorted([*damage.rows.values(), *damage.copies])
    return delivered, damage.done


def nameless(charger_id: str, attempts: list[Attempt]) -> list[tuple[str, str, str]]:
    """Return the transactions that never had a token as (kind, charger, reference)."""
    return [
        (UNKNOWN_DRIVER, charger_id, one.transaction_id)
        for one in attempts
        if one.transaction_id is not None and one.id_token is None
    ]


def _rows_by_transaction(rows: list[Row]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in sorted(rows):
        if row[TRANSACTION] is not None and row[FROM_CHARGER]:
            found[row[TRANSACTION]].append(row)
    return found


def _choose_days(damage: Damage, attempts: list[Attempt], factor: float) -> None:
    """Choose whole UTC days without anything at their ends on which the clock is off."""
    at_midnight = set()
    for row in damage.rows.values():
        if row[STAMP] is not None and row[RECEIVED] // DAY_S != row[STAMP] // DAY_S:
            at_midnight |= {row[RECEIVED] // DAY_S, row[STAMP] // DAY_S}
    for one in attempts:
        ended_at = damage.end if one.ended_at is None else one.ended_at
        if one.started_at // DAY_S != ended_at // DAY_S:
            at_midnight |= set(range(one.started_at // DAY_S, ended_at // DAY_S + 1))
    for day, count in sorted(damage.in_time.items()):
        is_off = damage.draws.chance(_CLOCK_OFF * factor)
        if is_off and day not in at_midnight and count >= _FEWEST_STAMPS:
            damage.days_off[day] = damage.draws.pick(_CLOCK_ERRORS_S)
            damage.record(CLOCK_OFF, utc_day(day))


def _deliver_late(damage: Damage, one: Attempt, rows: list[Row]) -> None:
    """Let the charger keep messages and send them at once later, in any order."""
    kept = [row for row in rows if row[MESSAGE_ID] not in damage.answers]
    kept = kept[damage.draws.between(0, max(len(kept) - 2, 0)) :][:4]
    if not kept:
        return
    arrives = kept[-1][STAMP] + LATE_S + damage.draws.between(10, 50 * MINUTE_S)
    days = {kept[0][STAMP] // DAY_S, arrives // DAY_S, (arrives + MINUTE_S) // DAY_S}
    if len(days) > 1 or days & set(damage.days_off):
        return
    (day,) = days
    # Most messages of the day are in time, or the clock would seem to be off.
    if damage.in_time[day] < _MOSTLY * len(kept):
        return
    if not damage.is_calm(kept[0][RECEIVED], arrives + MINUTE_S):
        return
    damage.in_time[day] -= _MOSTLY * len(kept)
    for row in kept:
        received = arrives + damage.draws.between(0, 20)
        payload = row[PAYLOAD].replace('"seqNo"', '"offline":true,"seqNo"')
        damage.rows[row[NUMBER]] = _changed(row, payload, received)
        damage.record(LATE, row[MESSAGE_ID], row)


def _reset_register(damage: Damage, one: Attempt, rows: list[Row]) -> None:
    """Let the register begin again at 0 with one of the readings between begin and end."""
    samples = [row for row in rows if is_sample(row[ACTION], row[PAYLOAD])]
    if not samples or not one.energy_wh:
        return
    first = damage.draws.between(0, len(samples) - 1)
    from_row = samples[first]
    earlier = [row for row in rows if row[STAMP] < from_row[STAMP]]
    lost_wh = max(highest_wh(row[PAYLOAD]) for row in earlier)
    for row in rows:
        if row[STAMP] >= from_row[STAMP]:
            payload = lowered(row[PAYLOAD], lost_wh, stamp(from_row[STAMP]))
            damage.rows[row[NUMBER]] = _changed(row, payload)
    damage.record(RESET, one.transaction_id, *rows)


def _lose_stop(damage: Damage, one: Attempt, rows: list[Row]) -> None:
    """Lose the message that ends a transaction whose plug-out is known."""
    stop = rows[-1]
    sends_status = damage.state.station.model.sends_status
    if one.plugged_out_at is None or not sends_status:
        return
    if damage.is_calm(stop[RECEIVED], stop[RECEIVED]):
        del damage.rows[stop[NUMBER]]
        damage.record(MISSING_STOP, one.transaction_id, *rows)


def _forget_driver(damage: Damage, one: Attempt, rows: list[Row]) -> None:
    """Leave the token out of the messages of a transaction that alone name it."""
    if one.attempt_mode not in (CACHED, PLUG_IN_FIRST) or one.id_token is None:
        return
    named = [row for row in rows if '"idTag"' in row[PAYLOAD] or '"idToken"' in row[PAYLOAD]]
    if any('"status"' not in damage.answers.get(row[MESSAGE_ID], "") for row in named):
        return
    for row in named:
        damage.rows[row[NUMBER]] = _changed(row, without_token(row[PAYLOAD]))
    damage.record(UNKNOWN_DRIVER, one.transaction_id, *rows)


def _garble_register(damage: Damage, one: Attempt, rows: list[Row]) -> None:
    """Make the register of one of the readings between begin and end unreadable."""
    samples = [row for row in rows if is_sample(row[ACTION], row[PAYLOAD])]
    if not samples:
        return
    row = damage.draws.pick(samples)
    payload = with_register(row[PAYLOAD], damage.draws.pick(_UNREADABLE_TEXTS))
    damage.rows[row[NUMBER]] = _changed(row, payload)
    damage.record(UNREADABLE, row[MESSAGE_ID], row)


def _set_clocks(damage: Damage) -> None:
    """Move everything that the charger stamped on a day by the error of its clock."""
    for number, row in damage.rows.items():
        error_s = damage.days_off.get(row[RECEIVED] // DAY_S)
        if error_s is not None and row[STAMP] is not None:
            damage.rows[number] = _changed(row, moved(row[PAYLOAD], error_s))


def _repeat(damage: Damage, factor: float) -> None:
    """Deliver messages twice; without a stamp the copy can only be told by its receipt."""
    for row in list(damage.rows.values()):
        if row[NUMBER] in damage.touched or not damage.draws.chance(_REPEATED * factor):
            continue
        received = row[RECEIVED]
        if row[STAMP] is not None and damage.draws.chance(0.5):
            received += damage.draws.between(1, HOUR_S)
        if received // DAY_S == row[RECEIVED] // DAY_S and damage.is_calm(row[RECEIVED], received):
            damage.copies.append(_changed(row, row[PAYLOAD], received))
            damage.record(REPEATED, row[MESSAGE_ID], row)


def _changed(row: Row, payload: str, received: int | None = None) -> Row:
    return (row[RECEIVED] if received is None else received, *row[1:PAYLOAD], payload, *row[STAMP:])


_DAMAGES: dict[str, Callable[[Damage, Attempt, list[Row]], None]] = {
    LATE: _deliver_late,
    RESET: _reset_register,
    MISSING_STOP: _lose_stop,
    UNKNOWN_DRIVER: _forget_driver,
    UNREADABLE: _garble_register,
}
