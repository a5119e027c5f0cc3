"""What really happened, as rows of tables in the terms of the warehouse (see `tables`)."""

from collections.abc import Iterable
from dataclasses import dataclass

from ev_charging.network_feed.attempt import Attempt
from ev_charging.network_feed.downtime import FOREVER, offline_spans
from ev_charging.network_feed.instants import local_midnight
from ev_charging.network_feed.session_list import Listed, outcome_of_listed
from ev_charging.network_feed.site import Simulation


@dataclass(frozen=True)
class PortSpans:
    """When a port was down: (begin, end, cause), and from when until when it is monitored."""

    charger_id: str
    evse_id: int
    opened: int
    closed: int
    spans: list[tuple[int, int, str]]


def attempt_rows(simulation: Simulation) -> list[tuple]:
    """Return the attempts with their visits, in the order of their columns."""
    site = simulation.site
    return [
        (
            *(one.attempt_id, one.charger_id, one.evse_id, one.transaction_id, one.id_token),
            *(one.attempt_mode, one.started_at, one.power_started_at, one.ended_at),
            *(one.stop_reason, one.energy_wh, one.has_power_delivery, one.has_valid_stop),
            *(one.outcome, one.failure_reason, one.driver_token, one.is_driver_inferred),
            *(site.site_id, site.time_zone),
            *(one.visit_id, one.attempt_number, one.is_last_attempt),
        )
        for visit in simulation.visits
        for one in visit
    ]


def visit_rows(simulation: Simulation) -> list[tuple]:
    """Return the visits, in the order of their columns."""
    return [_visit(simulation, visit) for visit in simulation.visits]


def session_rows(simulation: Simulation, listed: dict[str, str]) -> list[tuple]:
    """Return the sessions that messages tell of, in the order of their columns.

    Args:
        simulation: a site.
        listed: session id in the session list by attempt id, of those that are in it as well.
    """
    return [
        (
            *("messages", f"{one.charger_id}/{one.transaction_id}", listed.get(one.attempt_id)),
            *(one.charger_id, one.evse_id, one.transaction_id, one.protocol, one.id_token),
            # Before another transaction of the same plug-in, a session ends with its own.
            *(one.attempt_mode, one.plugged_in_at, one.ended_at),
            *(one.transaction_started_at, one.transaction_ended_at, one.power_started_at),
            *(one.stop_reason, one.energy_wh, one.max_power_w, one.soc_start_pct),
            *(one.soc_end_pct, one.outcome, one.failure_reason),
        )
        for visit in simulation.visits
        for one in visit
        if one.transaction_id is not None
    ]


def listed_session_rows(listed: list[Listed]) -> list[tuple]:
    """Return the sessions that only the session list tells of, in the order of their columns."""
    return [
        (
            *("list", session_id, session_id, station_id, None, None, None, None, None),
            *(begin, end, begin, end, None, None, energy_wh, None, None, None),
            *outcome_of_listed((session_id, station_id, begin, end, energy_wh, succeeded)),
        )
        for session_id, station_id, begin, end, energy_wh, succeeded in listed
    ]


def port_spans(simulation: Simulation) -> list[PortSpans]:
    """Return when the ports of a site were down, not yet cut to what was observed."""
    found = []
    for state in simulation.stations:
        offline = offline_spans(state)
        for port in state.ports:
            time_zone = port.port.time_zone or state.station.time_zone
            retired_on = port.port.retired_on
            found.append(
                PortSpans(
                    *(state.station.station_id, port.port.evse_id),
                    local_midnight(port.port.commissioned_on, time_zone),
                    FOREVER if retired_on is None else local_midnight(retired_on, time_zone),
                    [*port.down, *offline],
                )
            )
    return found


def outage_rows(ports: Iterable[PortSpans], observed: tuple[int, int]) -> list[tuple]:
    """Return the outages, in the order of their columns.

    Args:
        ports: when the ports were down.
        observed: when the first and the last message of the network were received.
    """
    rows = []
    for port in ports:
        window = max(port.opened, observed[0]), min(port.closed, observed[1])
        for begin, end, causes in _joined(port.spans, window):
            rows.append((port.charger_id, port.evse_id, begin, end, "+".join(sorted(causes))))
    return rows


def _joined(
    spans: list[tuple[int, int, str]], window: tuple[int, int]
) -> list[tuple[int, int, set[str]]]:
    """Return the longest runs of spans that overlap or touch, within a window."""
    cut = ((max(begin, window[0]), min(end, window[1]), cause) for begin, end, cause in spans)
    runs: list[tuple[int, int, set[str]]] = []
    for begin, end, cause in sorted(span for span in cut if span[0] < span[1]):
        if runs and begin <= runs[-1][1]:
            first, last, causes = runs[-1]
            runs[-1] = (first, max(last, end), causes | {cause})
        else:
            runs.append((begin, end, {cause}))
    return runs


def _visit(simulation: Simulation, visit: list[Attempt]) -> tuple:
    first, last = visit[0], visit[-1]
    ends = [one.ended_at for one in visit if one.ended_at is not None]
    energies = [one.energy_wh for one in visit if one.energy_wh is not None]
    is_first_succeeded = first.outcome == "succeeded"
    result = last.outcome
    if result == "succeeded":
        result = "first_attempt" if is_first_succeeded else "after_retries"
    return (
        *(first.visit_id, first.driver_token, simulation.site.site_id),
        *(simulation.site.time_zone, first.started_at, max(ends, default=None), len(visit)),
        len({one.charger_id for one in visit}),
        len({(one.charger_id, one.evse_id) for one in visit if one.evse_id is not None}),
        *(is_first_succeeded, last.outcome, result, sum(energies) if energies else None),
    )
