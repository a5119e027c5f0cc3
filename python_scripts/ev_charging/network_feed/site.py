"""One site: when drivers come, and to which port."""

from dataclasses import dataclass, field
from datetime import timedelta

from ev_charging.network_feed.attempt import Attempt
from ev_charging.network_feed.downtime import (
    PortState,
    StationState,
    plan_downtime,
    station_state,
)
from ev_charging.network_feed.draws import Choices, Draws
from ev_charging.network_feed.instants import HOUR_S, MINUTE_S, local_days, local_midnight
from ev_charging.network_feed.layout import Site
from ev_charging.network_feed.visit import Visit

_ROOM_S = 40 * MINUTE_S
_DRIVERS_PER_PORT = 25
_MOST_DRIVERS = 4096
_OPEN_AT_THE_END = 0.8
# Odd, so that different numbers stay different modulo 2^32.
_TOKEN_FACTOR = 0x9E3779B1

# Arrivals in each hour of the local day, relative.
_ARRIVALS = (1, 1, 1, 1, 1, 2, 5, 9, 9, 8, 8, 9, 10, 9, 9, 10, 12, 13, 11, 8, 6, 4, 3, 2)
_HOURS = Choices(dict(enumerate(_ARRIVALS)))


@dataclass(slots=True)
class Driver:
    """A driver of the site."""

    token: str
    free_at: int = 0


@dataclass(slots=True)
class Simulation:
    """A site and what has happened there between two instants, seconds since 1970.

    Attributes:
        stations: the stations that send messages.
        places: their ports.
        visits: the attempts of each visit in order.
    """

    site: Site
    start: int
    end: int
    draws: Draws
    stations: list[StationState]
    places: list[tuple[StationState, PortState]]
    drivers: list[Driver]
    visits: list[list[Attempt]] = field(default_factory=list)

    def free_place(
        self, at: int, room_s: int, besides: PortState | None = None
    ) -> tuple[StationState, PortState] | None:
        """Return a port that is free and remains so for a while, None if there is none."""
        first = self.draws.between(0, len(self.places) - 1)
        for place in self.places[first:] + self.places[:first]:
            port = place[1]
            if port is not besides and port.free_at <= at and port.room_s(at) > room_s:
                return place
        return None


def simulate(site: Site, start: int, end: int, seed: int) -> Simulation:
    """Return what happens at a site from `start` to `end`, seconds since 1970."""
    stations = []
    for station in site.stations:
        if station.model is not None:
            draws = Draws(seed, "station", station.number)
            state = station_state(station, start, end, draws)
            plan_downtime(state, start, end, Draws(seed, "downtime", station.number))
            stations.append(state)
    places = [(state, port) for state in stations for port in state.ports]
    drivers = [
        Driver(_token(site.number, number)) for number in range(_DRIVERS_PER_PORT * len(places))
    ]
    draws = Draws(seed, "site", site.number)
    simulation = Simulation(site, start, end, draws, stations, places, drivers)
    if places:
        for at in _arrivals(simulation):
            _arrive(simulation, at)
        _leave_some_open(simulation)
    return simulation


def _arrivals(simulation: Simulation) -> list[int]:
    """Return when drivers come, in order."""
    draws, zone = simulation.draws, simulation.site.time_zone
    per_day = sum(state.station.model.visits_per_day for state, _ in simulation.places)
    found = []
    for day in local_days(simulation.start, simulation.end, zone):
        midnight = local_midnight(day, zone)
        length = local_midnight(day + timedelta(days=1), zone) - midnight
        for _ in range(int(per_day + draws.uniform())):
            second = draws.weighted(_HOURS) * HOUR_S + draws.between(0, HOUR_S - 1)
            found.append(midnight + min(second, length - 1))
    return sorted(found)


def _arrive(simulation: Simulation, at: int) -> None:
    place = simulation.free_place(at, _ROOM_S)
    driver = _free_driver(simulation, at)
    if place is not None and driver is not None:
        Visit(simulation, at, *place, driver).happen()


def _free_driver(simulation: Simulation, at: int) -> Driver | None:
    for _ in range(5):
        driver = simulation.draws.pick(simulation.drivers)
        if driver.free_at <= at:
            return driver
    return None


def _leave_some_open(simulation: Simulation) -> None:
    """Let some vehicles charge until after the end."""
    end, draws = simulation.end, simulation.draws
    for state, port in simulation.places:
        at = end - draws.between(50, 150) * MINUTE_S
        driver = _free_driver(simulation, at)
        room_s = port.room_s(at) if port.free_at <= at else 0
        is_free = room_s > 0 and at + room_s >= port.last_use
        is_in_use = port.in_service[1] == end
        if driver and is_free and is_in_use and draws.chance(_OPEN_AT_THE_END):
            Visit(simulation, at, state, port, driver).stay_open()


def _token(site: int, number: int) -> str:
    return f"{(site * _MOST_DRIVERS + number + 1) * _TOKEN_FACTOR % 2**32:08X}"
