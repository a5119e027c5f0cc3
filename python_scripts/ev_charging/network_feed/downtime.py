"""When ports are down and chargers silent: outages, maintenance, reboots, and their exclusions."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import timedelta

from ev_charging.network_feed.charger import Charger
from ev_charging.network_feed.dialect import Dialect
from ev_charging.network_feed.draws import Choices, Draws
from ev_charging.network_feed.instants import DAY_S, HOUR_S, MINUTE_S, local_days, local_midnight
from ev_charging.network_feed.layout import OCPP_16, USUAL_HEARTBEAT_S, Port, Station
from ev_charging.network_feed.ocpp16 import Ocpp16
from ev_charging.network_feed.ocpp201 import Ocpp201

MISSED_HEARTBEATS = 3
FAULTED, UNAVAILABLE, OFFLINE = "faulted", "unavailable", "offline"
WHOLE_CHARGER = 0
FOREVER = 1 << 40
_MARGIN_S = HOUR_S
_SETTLING_S = 10 * MINUTE_S
_UNNOTICED_S = 30 * MINUTE_S
_SKIPPED_HEARTBEATS = 0.003
_ERRORS = ("GroundFailure", "InternalError", "PowerMeterFailure", "ConnectorLockFailure")

_EVERY_DAYS = {
    "port_fault": 12.0,
    "charger_fault": 45.0,
    "offline": 20.0,
    "maintenance": 25.0,
    "fault_then_offline": 60.0,
    "offline_then_fault": 60.0,
    "reboot": 15.0,
}
_EXCLUSIONS = Choices({"exact": 3, "longer": 2, "shorter": 1, "overlapping": 2, "none": 2})


@dataclass(slots=True)
class PortState:
    """A port while the network is simulated.

    Attributes:
        free_at: from when on a vehicle can come.
        blocks: spans without a vehicle, in order: (begin, end).
        down: spans in which the port is down and why: (begin, end, cause).
        in_service: from when until when the port works at all.
        register_wh: energy register.
    """

    port: Port
    free_at: int
    in_service: tuple[int, int]
    register_wh: int
    blocks: list[tuple[int, int]] = field(default_factory=list)
    down: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def last_use(self) -> int:
        """Return until when vehicles usually come."""
        return self.blocks[-1][0]

    def room_s(self, at: int) -> int:
        """Return for how long from an instant on the port can be used, 0 or less if not at all."""
        place = bisect_right(self.blocks, (at, FOREVER))
        if place and self.blocks[place - 1][1] > at:
            return 0
        return self.blocks[place][0] - at

    def block(self, begin: int, end: int) -> None:
        """Keep vehicles away; blocks that touch become one."""
        touching = [span for span in self.blocks if span[0] <= end and begin <= span[1]]
        apart = [span for span in self.blocks if span not in touching]
        begin = min([begin, *(span[0] for span in touching)])
        end = max([end, *(span[1] for span in touching)])
        self.blocks = sorted([*apart, (begin, end)])


@dataclass(slots=True)
class StationState:
    """A station while the network is simulated.

    Attributes:
        messages: what sends the messages of this charger.
        ports: its ports.
        silent: spans in which nothing is sent, in order.
        lone_until: until when no other attempt without transaction may begin.
        exclusions: (evse_id or None, begin, end, reason).
    """

    station: Station
    charger: Charger
    messages: Dialect
    ports: list[PortState]
    silent: list[tuple[int, int]] = field(default_factory=list)
    lone_until: int = 0
    exclusions: list[tuple[int | None, int, int, str]] = field(default_factory=list)

    @property
    def heartbeat_s(self) -> int:
        """Return the time between two heartbeats."""
        return self.station.heartbeat_s or USUAL_HEARTBEAT_S


def station_state(station: Station, start: int, end: int, draws: Draws) -> StationState:
    """Return a station of which nothing has happened yet."""
    charger = Charger(station.station_id, [], [], is_terse=station.model.is_terse)
    dialect = Ocpp16 if station.model.protocol == OCPP_16 else Ocpp201
    ports = []
    for port in station.ports:
        time_zone = port.time_zone or station.time_zone
        opened = local_midnight(port.commissioned_on, time_zone)
        begin = opened + draws.between(6, 10) * HOUR_S if opened > start else start
        finish = end
        if port.retired_on is not None:
            closed = local_midnight(port.retired_on, time_zone)
            finish = min(end, closed - draws.between(60, 240) * MINUTE_S)
        state = PortState(port, begin + _SETTLING_S, (begin, finish), draws.between(10**5, 10**7))
        state.block(start - DAY_S, begin + _SETTLING_S)
        state.block(finish - _SETTLING_S, FOREVER)
        ports.append(state)
    return StationState(station, charger, dialect(station, charger, draws), ports)


def plan_downtime(state: StationState, start: int, end: int, draws: Draws) -> None:
    """Let a station start, and let everything happen that has nothing to do with a driver."""
    boot = start + draws.between(0, 50)
    if "silent_begin" in state.station.incidents:
        boot += MISSED_HEARTBEATS * state.heartbeat_s + 2 * HOUR_S
        _go_silent(state, start - DAY_S, boot)
    taken = [(start - DAY_S, boot + HOUR_S)]
    taken += [
        (change - HOUR_S, change + HOUR_S) for port in state.ports for change in port.in_service
    ]
    until = end
    if "silent_end" in state.station.incidents:
        until = end - MISSED_HEARTBEATS * state.heartbeat_s - draws.between(2, 8) * HOUR_S
        _go_silent(state, until, end + DAY_S)
    _say_hello(state, boot, "PowerUp")
    _change_service(state, boot, until, end)
    wanted = [*_scheduled(state, start, end), *_by_chance(state, start, end, draws)]
    for begin, finish, kind in wanted:
        span = (begin - _MARGIN_S, finish + _MARGIN_S)
        if span[1] > until - HOUR_S or any(a < span[1] and span[0] < b for a, b in taken):
            continue
        taken.append(span)
        _happen(state, begin, finish, kind, draws)
    state.silent.sort()
    _send_heartbeats(state, boot, until, draws)


def offline_spans(state: StationState) -> list[tuple[int, int, str]]:
    """Return when a charger was offline: between the messages received before and after.

    Everything must have happened. A span without a message before or after has no end there.
    """
    heard = sorted(state.charger.heard)
    spans = []
    for begin, end in state.silent:
        before, after = bisect_left(heard, begin), bisect_left(heard, end)
        spans.append(
            (
                heard[before - 1] if before else -FOREVER,
                heard[after] if after < len(heard) else FOREVER,
                OFFLINE,
            )
        )
    return spans


def _scheduled(state: StationState, start: int, end: int) -> list[tuple[int, int, str]]:
    """Return outages around the end of a local month and around a clock change."""
    zone = state.station.time_zone
    days = local_days(start, end, zone)
    found = []
    for day in days:
        midnight = local_midnight(day, zone)
        length = local_midnight(day + timedelta(days=1), zone) - midnight
        if "fault_at_month_end" in state.station.incidents and day.day == 1:
            found.append((midnight - 2 * HOUR_S, midnight + 5 * HOUR_S, "first_port_fault"))
        if "offline_at_clock_change" in state.station.incidents and length != DAY_S:
            silence = max(10 * HOUR_S, (MISSED_HEARTBEATS + 1) * state.heartbeat_s)
            found.append((midnight - HOUR_S, midnight - HOUR_S + silence, "offline"))
    return found


def _by_chance(
    state: StationState, start: int, end: int, draws: Draws
) -> list[tuple[int, int, str]]:
    found = []
    for kind, every_days in _EVERY_DAYS.items():
        factor = 1.0 if kind in ("maintenance", "reboot") else state.station.breakdown_factor
        wanted = (end - start) / DAY_S / every_days * factor
        for _ in range(int(wanted + draws.uniform())):
            begin = draws.between(start, end)
            found.append((begin, begin + _length_s(kind, state.heartbeat_s, draws), kind))
    return found


def _length_s(kind: str, heartbeat_s: int, draws: Draws) -> int:
    if kind == "reboot":
        return 2 * MINUTE_S
    if kind == "maintenance":
        return draws.between(30, 300) * MINUTE_S
    hours = 2.718281828 ** (1.2 + 1.1 * draws.normal())
    length_s = int(min(max(hours, 0.25), 60) * HOUR_S)
    if "offline" in kind:
        length_s += MISSED_HEARTBEATS * heartbeat_s + _SETTLING_S + _UNNOTICED_S
    return length_s


def _happen(state: StationState, begin: int, end: int, kind: str, draws: Draws) -> None:
    ports = [
        port
        for port in state.ports
        if port.in_service[0] < begin - HOUR_S and end + HOUR_S < port.in_service[1]
    ]
    shows_status = state.station.model.sends_status
    if kind == "offline":
        _go_silent(state, begin, end)
        _say_hello(state, end, "PowerUp")
        _exclude(state, None, begin, end, "utility_outage", draws)
    elif kind == "reboot":
        _block_all(state, begin, end)
        _say_hello(state, begin, "FirmwareUpdate")
        state.messages.report_firmware(begin + 5)
    elif not ports or not shows_status:
        return
    elif kind == "charger_fault":
        _whole_charger(state, ports, begin, end, "Faulted")
        _exclude(state, None, begin, end, "vandalism", draws)
    elif kind == "maintenance":
        if draws.chance(0.5):
            _whole_charger(state, ports, begin, end, "Unavailable")
            _exclude(state, None, begin, end, "maintenance", draws)
        else:
            port = draws.pick(ports)
            _port_down(state, port, begin, end, "Unavailable")
            _exclude(state, port.port.evse_id, begin, end, "maintenance", draws)
    elif kind == "first_port_fault":
        _port_down(state, ports[0], begin, end, "Faulted", draws.pick(_ERRORS))
        _exclude(state, ports[0].port.evse_id, begin, end, "vandalism", draws)
    elif kind == "port_fault":
        port = draws.pick(ports)
        if draws.chance(0.3):
            # Somebody takes the port out of service to mend it.
            mending = begin + (end - begin) * 2 // 3
            _port_down(state, port, begin, mending, "Faulted", draws.pick(_ERRORS), False)
            _port_down(state, port, mending, end, "Unavailable")
            _exclude(state, port.port.evse_id, mending, end, "maintenance", draws)
        else:
            _port_down(state, port, begin, end, "Faulted", draws.pick(_ERRORS))
    elif kind == "fault_then_offline":
        port = draws.pick(ports)
        silent = begin + _UNNOTICED_S
        mended = end + draws.between(5, 40) * MINUTE_S
        _port_down(state, port, begin, mended, "Faulted", draws.pick(_ERRORS))
        _go_silent(state, silent, end)
        _say_hello(state, end, "PowerUp", still_faulted=port)
    else:
        port = draws.pick(ports)
        mended = end + draws.between(5, 40) * MINUTE_S
        _go_silent(state, begin, end)
        _say_hello(state, end, "PowerUp", still_faulted=port)
        port.down.append((end + 2, mended, FAULTED))
        port.block(end, mended)
        state.messages.status(mended, port.port.evse_id, "Available")


def _go_silent(state: StationState, begin: int, end: int) -> None:
    state.silent.append((begin, end))
    _block_all(state, begin, end)


def _block_all(state: StationState, begin: int, end: int) -> None:
    for port in state.ports:
        port.block(begin - _SETTLING_S, end + _SETTLING_S)


def _say_hello(
    state: StationState, at: int, reason: str, still_faulted: PortState | None = None
) -> None:
    """Start the charger, which reports the status of each port."""
    state.messages.boot(at, state.heartbeat_s, reason)
    if state.station.model.protocol == OCPP_16:
        state.messages.status(at + 2, WHOLE_CHARGER, "Available")
    for port in state.ports:
        if port is still_faulted:
            state.messages.status(at + 2, port.port.evse_id, "Faulted", _ERRORS[0])
        else:
            state.messages.status(at + 2, port.port.evse_id, _resting_status(port, at + 2))


def _resting_status(port: PortState, at: int) -> str:
    return "Available" if port.in_service[0] <= at < port.in_service[1] else "Unavailable"


def _change_service(state: StationState, boot: int, until: int, end: int) -> None:
    """Report when ports go into service and out of it."""
    if not state.station.model.sends_status:
        return
    for port in state.ports:
        begin, finish = port.in_service
        if begin > boot:
            port.down.append((boot + 2, begin, UNAVAILABLE))
            state.messages.status(begin, port.port.evse_id, "Available")
        if finish < until:
            port.down.append((finish, end, UNAVAILABLE))
            state.messages.status(finish, port.port.evse_id, "Unavailable")


def _whole_charger(
    state: StationState, ports: list[PortState], begin: int, end: int, status: str
) -> None:
    """Take the charger down: OCPP 1.6 has a number for it, OCPP 2.0.1 reports every port."""
    has_number = state.station.model.protocol == OCPP_16
    error = "InternalError" if status == "Faulted" else "NoError"
    if has_number:
        state.messages.status(begin, WHOLE_CHARGER, status, error)
        state.messages.status(end, WHOLE_CHARGER, "Available")
        for port in state.ports:
            port.down.append((begin, end, status.lower()))
            port.block(begin - _SETTLING_S, end)
        return
    for port in ports:
        _port_down(state, port, begin, end, status)


def _port_down(
    state: StationState,
    port: PortState,
    begin: int,
    end: int,
    status: str,
    error: str = "NoError",
    is_mended: bool = True,
) -> None:
    port.down.append((begin, end, status.lower()))
    port.block(begin - _SETTLING_S, end)
    state.messages.status(begin, port.port.evse_id, status, error)
    if is_mended:
        state.messages.status(end, port.port.evse_id, "Available")


def _exclude(
    state: StationState, evse_id: int | None, begin: int, end: int, reason: str, draws: Draws
) -> None:
    """Agree that all or part of an outage doesn't count."""
    how = draws.weighted(_EXCLUSIONS)
    quarter = (end - begin) // 4
    spans = {
        "none": (),
        "exact": ((begin, end),),
        "longer": ((begin - HOUR_S, end + HOUR_S),),
        "shorter": ((begin + quarter, end - quarter),),
        "overlapping": ((begin, end - quarter), (begin + quarter, end)),
    }
    state.exclusions += [(evse_id, *span, reason) for span in spans[how]]


def _send_heartbeats(state: StationState, boot: int, until: int, draws: Draws) -> None:
    """Send heartbeats while the charger is online, now and then as late as it just may."""
    online_from = boot
    for begin, end in [*(span for span in state.silent if span[0] > boot), (until, FOREVER)]:
        if begin > until:
            break
        next_at = online_from + state.heartbeat_s
        while next_at < begin:
            state.messages.heartbeat(next_at)
            missed = MISSED_HEARTBEATS if draws.chance(_SKIPPED_HEARTBEATS) else 1
            next_at += missed * state.heartbeat_s
        online_from = end
