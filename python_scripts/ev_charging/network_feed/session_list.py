"""The list of plain sessions: of stations without messages, and of some that send them as well."""

from ev_charging.network_feed.attempt import Attempt
from ev_charging.network_feed.downtime import StationState
from ev_charging.network_feed.draws import Choices, Draws
from ev_charging.network_feed.instants import DAY_S, HOUR_S, MINUTE_S
from ev_charging.network_feed.layout import OCPP_201, Station

# session_id, station_id, started_at, ended_at, energy_wh, succeeded
Listed = tuple[str, str, int, int | None, int | None, bool | None]

_LISTED_TWICE, _LISTED_WHILE_OFFLINE = 0.08, 0.6
_APART_S, _CLOSE_S, _OFF_S = 10 * MINUTE_S, 2 * MINUTE_S, MINUTE_S
_POWER_W = 7000
_NEAR = 20
_RESULTS = Choices(
    {
        "succeeded": 88,
        "failed": 4,
        "failed_without_energy": 3,
        "succeeded_without_energy": 2,
        "unknown": 2,
        "unmetered": 1,
        "unended": 1,
    }
)


def sessions_of_station(
    station: Station, start: int, end: int, seed: int, per_day: float = 1.6
) -> list[Listed]:
    """Return the sessions of a station that sends no messages."""
    draws = Draws(seed, "session list", station.number)
    at, listed = start, []
    while True:
        at += draws.between(30 * MINUTE_S, int(2 * DAY_S / per_day) - 5 * HOUR_S)
        length_s = draws.between(20, 480) * MINUTE_S + draws.between(0, 59)
        number = f"L{station.number + 1:05}-{len(listed) + 1}"
        if at >= end:
            return listed
        if at + length_s >= end:
            listed.append((number, station.station_id, at, None, None, None))
            return listed
        energy_wh = length_s * _POWER_W // HOUR_S * draws.between(20, 90) // 100
        listed.append(
            (
                *(number, station.station_id, at),
                *_result(draws.weighted(_RESULTS), at + length_s, energy_wh),
            )
        )
        at += length_s


def sessions_listed_twice(
    state: StationState, attempts: list[Attempt], seed: int
) -> tuple[list[Listed], dict[str, str]]:
    """Return sessions of a station that sends messages.

    Some are delivered twice, in the list and as messages, under the same id or under another one;
    some happened while the charger was offline and are in the list only.

    Returns:
        The sessions, and by attempt id the session id of those that are delivered twice.
    """
    station = state.station
    draws = Draws(seed, "session list", station.number)
    listed: list[Listed] = []
    twice = {}
    ended = sorted(
        (one for one in attempts if one.transaction_ended_at is not None),
        key=lambda one: one.transaction_started_at,
    )
    for place, one in enumerate(ended):
        if not (draws.chance(_LISTED_TWICE) and one.energy_wh is not None):
            continue
        begin, end = one.transaction_started_at, one.transaction_ended_at
        is_plain = begin - one.plugged_in_at <= _CLOSE_S and one.ended_at - end <= _CLOSE_S
        # A charger has few ports: whatever begins at about the same time is near in the list.
        near = ended[max(place - _NEAR, 0) : place] + ended[place + 1 : place + 1 + _NEAR]
        if not is_plain or any(_is_similar(one, other) for other in near):
            continue
        session_id = draws.pick(_ids(one, f"L{station.number + 1:05}-{len(listed) + 1}"))
        twice[one.attempt_id] = session_id
        listed_begin = begin + draws.between(-_OFF_S, _OFF_S)
        listed_end = max(end + draws.between(-_OFF_S, _OFF_S), listed_begin)
        listed.append(
            (
                *(session_id, station.station_id, listed_begin, listed_end),
                *(one.energy_wh, one.outcome == "succeeded"),
            )
        )
    for begin, end in state.silent:
        if end - begin > 3 * HOUR_S and draws.chance(_LISTED_WHILE_OFFLINE):
            at = begin + draws.between(60, 90) * MINUTE_S
            session_id = f"L{station.number + 1:05}-{len(listed) + 1}"
            length_s = draws.between(20, 60) * MINUTE_S
            energy_wh = length_s * _POWER_W // HOUR_S
            listed.append((session_id, station.station_id, at, at + length_s, energy_wh, True))
    return listed, twice


def outcome_of_listed(session: Listed) -> tuple[str, str | None]:
    """Return outcome and failure reason of a session that is known from the list only."""
    _, _, _, ended_at, energy_wh, succeeded = session
    if ended_at is None:
        return "open", None
    if succeeded is None:
        return "unknown", None
    if energy_wh == 0:
        return "failed", "no_energy"
    return ("succeeded", None) if succeeded else ("failed", "reported")


def _result(
    result: str, ended_at: int, energy_wh: int
) -> tuple[int | None, int | None, bool | None]:
    return {
        "succeeded": (ended_at, energy_wh, True),
        "failed": (ended_at, energy_wh, False),
        "failed_without_energy": (ended_at, 0, False),
        "succeeded_without_energy": (ended_at, 0, True),
        "unknown": (ended_at, energy_wh, None),
        "unmetered": (ended_at, None, True),
        "unended": (None, energy_wh, None),
    }[result]


def _ids(one: Attempt, other_id: str) -> tuple[str, ...]:
    long_id = f"{one.charger_id}/{one.transaction_id}"
    # Ids of OCPP 1.6 are numbers that every charger counts on its own.
    short = (one.transaction_id,) if one.protocol == OCPP_201 else (long_id,)
    return (*short, long_id, other_id)


def _is_similar(one: Attempt, other: Attempt) -> bool:
    begins_s = abs(one.transaction_started_at - other.transaction_started_at)
    ends_s = abs(one.transaction_ended_at - other.transaction_ended_at)
    return begins_s < _APART_S and ends_s < _APART_S
