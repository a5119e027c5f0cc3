"""A part of the network: some sites with everything that is delivered and that is true of them."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from ev_charging.network_feed.charger import ACTION, FROM_CHARGER, MESSAGE_ID, PAYLOAD, RECEIVED
from ev_charging.network_feed.damage import damage_messages, nameless
from ev_charging.network_feed.instants import utc_midnight
from ev_charging.network_feed.layout import Site, Station
from ev_charging.network_feed.session_list import sessions_listed_twice, sessions_of_station
from ev_charging.network_feed.site import Simulation, simulate
from ev_charging.network_feed.truth import (
    PortSpans,
    attempt_rows,
    listed_session_rows,
    port_spans,
    session_rows,
    visit_rows,
)


@dataclass(slots=True)
class Part:
    """Rows of the feeds and of the truth by table, and what is needed of a part to tell outages.

    Attributes:
        rows: rows by name of the feed or of the table of the truth.
        ports: when ports were down.
        heard: when the first and the last message of a charger were received, None for none.
    """

    rows: dict[str, list[tuple]] = field(default_factory=dict)
    ports: list[PortSpans] = field(default_factory=list)
    heard: tuple[int, int] | None = None

    def add(self, table: str, rows: list[tuple]) -> None:
        """Add rows to a table."""
        self.rows.setdefault(table, []).extend(rows)


def network_part(
    sites: list[Site], first_day: date, days: int, seed: int, damage_factor: float = 0
) -> Part:
    """Simulate sites and return what is delivered of them and what is true.

    Args:
        sites: the sites.
        first_day: first day of the messages (UTC).
        days: number of days.
        seed: seed of the random numbers.
        damage_factor: how many times the usual damage is done, 0 for none.
    """
    start, end = utc_midnight(first_day), utc_midnight(first_day + timedelta(days=days))
    part = Part()
    for site in sites:
        simulation = simulate(site, start, end, seed)
        _deliver(part, simulation, start, end, seed, damage_factor)
    return part


def _deliver(
    part: Part, simulation: Simulation, start: int, end: int, seed: int, damage_factor: float
) -> None:
    listed_twice: dict[str, str] = {}
    listed_only = []
    for station in simulation.site.stations:
        _describe(part, station)
        if station.model is None:
            sessions = sessions_of_station(station, start, end, seed)
            part.add("network__charging_sessions", sessions)
            listed_only += sessions
    for state in simulation.stations:
        charger_id = state.station.station_id
        attempts = [
            one for visit in simulation.visits for one in visit if one.charger_id == charger_id
        ]
        sessions, twice = sessions_listed_twice(state, attempts, seed)
        part.add("network__charging_sessions", sessions)
        listed_only += [session for session in sessions if session[0] not in twice.values()]
        listed_twice |= twice
        part.add("network__outage_exclusions", [(charger_id, *row) for row in state.exclusions])
        rows, injected = sorted(state.charger.rows), []
        if damage_factor > 0:
            rows, injected = damage_messages(
                *(state, attempts, start, end, seed, damage_factor, frozenset(twice))
            )
        # Nobody can tell a token that was left out from one that never was.
        part.add("network__injected_damage", injected + nameless(charger_id, attempts))
        part.add(
            "network__charger_messages",
            [
                (
                    *(charger_id, row[RECEIVED], row[FROM_CHARGER]),
                    *(row[MESSAGE_ID], row[ACTION], row[PAYLOAD]),
                )
                for row in rows
            ],
        )
        first, last = min(state.charger.heard), max(state.charger.heard)
        heard = part.heard or (first, last)
        part.heard = min(heard[0], first), max(heard[1], last)
    part.ports += port_spans(simulation)
    part.add("truth_attempts", attempt_rows(simulation))
    part.add("truth_visits", visit_rows(simulation))
    part.add("truth_sessions", session_rows(simulation, listed_twice))
    part.add("truth_sessions", listed_session_rows(listed_only))


def _describe(part: Part, station: Station) -> None:
    part.add(
        "network__stations",
        [
            (
                *(station.station_id, station.site_id, station.name, station.time_zone),
                station.model.protocol if station.model else None,
                station.heartbeat_s if station.model else None,
            )
        ],
    )
    part.add(
        "network__ports",
        [
            (
                *(station.station_id, port.evse_id, port.connectors, port.power_kw),
                *(port.commissioned_on, port.retired_on, port.time_zone),
            )
            for port in station.ports
        ],
    )
