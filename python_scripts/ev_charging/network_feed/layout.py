"""What the network consists of: sites, stations, ports, and the habits of each charger model."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from ev_charging.stateless_random import uniform

OCPP_16, OCPP_201 = "ocpp1.6", "ocpp2.0.1"
OSLO, NEW_YORK = "Europe/Oslo", "America/New_York"


@dataclass(frozen=True)
class Model:
    """A kind of charger and how it uses the standard.

    Attributes:
        protocol: `ocpp1.6` or `ocpp2.0.1`.
        connectors: connectors of each port.
        power_kw: rated power of each port.
        visits_per_day: visits to each port that is always free.
        meter_interval_s: time between two meter values.
        register: unit of the energy register, `Wh`, `kWh` or `Wh3` (multiplier 3).
        names_measurand: whether the register is named; else a sample is one by default.
        sends_status: whether the charger reports the status of its ports.
        stamps_status: whether a StatusNotification has a timestamp, which OCPP 1.6 leaves open.
        lower_case: whether tokens are sent in lower case.
        sends_transaction_data: whether StopTransaction repeats the readings of begin and end.
        is_terse: whether answers are logged without their action, and heartbeats without payload.
    """

    protocol: str
    vendor: str
    model: str
    connectors: tuple[str, ...]
    power_kw: float
    visits_per_day: float
    meter_interval_s: int = 900
    register: str = "Wh"
    names_measurand: bool = True
    sends_status: bool = True
    stamps_status: bool = True
    lower_case: bool = False
    sends_transaction_data: bool = False
    is_terse: bool = False

    @property
    def is_fast(self) -> bool:
        """Return whether the charger delivers direct current."""
        return self.power_kw > 43


@dataclass(frozen=True)
class Port:
    """A port; it is out of service from the day `retired_on` on."""

    evse_id: int
    connectors: str
    power_kw: float
    commissioned_on: date
    retired_on: date | None = None
    time_zone: str | None = None


@dataclass(frozen=True)
class Station:
    """A charging station; `model` is None if it sends no messages.

    Attributes:
        number: number of the station in the network, from 0.
        heartbeat_s: time between heartbeats, None for the usual one.
        failure_factor: how often attempts fail, 1 for an ordinary station.
        breakdown_factor: how often ports break and chargers are offline, likewise.
        incidents: outages that happen at a certain place in the calendar, see `downtime`.
    """

    number: int
    station_id: str
    site_id: str
    name: str
    time_zone: str
    model: Model | None
    ports: tuple[Port, ...]
    heartbeat_s: int | None = None
    failure_factor: float = 1.0
    breakdown_factor: float = 1.0
    incidents: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Site:
    """A place with one clock and the stations that stand there."""

    number: int
    site_id: str
    time_zone: str
    stations: tuple[Station, ...]


USUAL_HEARTBEAT_S = 900
STATIONS_PER_SITE = 2

_AC_OSLO = Model(
    OCPP_16, "Elvelund", "Duo 22", ("Type2", "Type2"), 22, 3.0, register="kWh", lower_case=True
)
_DC_OSLO = Model(
    OCPP_201, "Fjordkraft", "HPC 150", ("CCS2+CHAdeMO", "CCS2"), 150, 8.0, register="Wh3"
)
_OLD_DC_OSLO = Model(
    *(OCPP_16, "Nordlader", "Quick 50", ("CCS2+CHAdeMO",), 50, 7.0),
    names_measurand=False,
    stamps_status=False,
    is_terse=True,
)
_NEW_AC_OSLO = Model(OCPP_201, "Elvelund", "Duo 22 S", ("Type2", "Type2"), 22, 3.0, register="kWh")
_DC_NEW_YORK = Model(OCPP_201, "Hudson", "H150", ("CCS1+NACS", "CCS1+NACS"), 150, 8.0)
_AC_NEW_YORK = Model(
    *(OCPP_16, "Juniper", "L2 Twin", ("J1772", "J1772"), 11, 3.0), sends_transaction_data=True
)
_SILENT_AC = Model(
    *(OCPP_16, "Juniper", "L2 Basic", ("J1772", "J1772"), 11, 3.0), sends_status=False
)
_OLD_DC_NEW_YORK = Model(OCPP_16, "Hudson", "H50", ("CCS1+CHAdeMO",), 50, 7.0, register="kWh")

# Sites follow each other in this pattern; without a model, a station is in session lists only.
_PATTERN = (
    (OSLO, (_AC_OSLO, _DC_OSLO)),
    (NEW_YORK, (_DC_NEW_YORK, _AC_NEW_YORK)),
    (OSLO, (_OLD_DC_OSLO, _NEW_AC_OSLO)),
    (NEW_YORK, (_SILENT_AC, _DC_NEW_YORK)),
    (OSLO, (None, None)),
    (NEW_YORK, (_NEW_AC_OSLO, _OLD_DC_NEW_YORK)),
)
# As many as no other pattern has, so that in time everything meets everything.
_INCIDENTS = (
    ("fault_at_month_end",),
    ("offline_at_clock_change",),
    ("offline_at_clock_change",),
    ("silent_end",),
    ("silent_begin",),
    ("port_commissioned", "port_retired"),
    (),
)
_BAD_STATION, _BAD_FACTOR = 3, 4.0
_OPENED_ON = date(2023, 5, 2)


def site_of(number: int, stations: int, seed: int, first_day: date, days: int) -> Site:
    """Return a site of a large network.

    Args:
        number: number of the site, from 0.
        stations: number of stations of the whole network; the last site may be cut.
        seed: seed of the random numbers.
        first_day: first day of the messages.
        days: number of days.
    """
    time_zone, models = _PATTERN[number % len(_PATTERN)]
    first = number * STATIONS_PER_SITE
    site_id = f"S{number + 1:05}"
    return Site(
        number,
        site_id,
        time_zone,
        tuple(
            _station(first + place, place, site_id, time_zone, model, seed, first_day, days)
            for place, model in enumerate(models)
            if first + place < stations
        ),
    )


def _station(
    number: int,
    place: int,
    site_id: str,
    time_zone: str,
    model: Model | None,
    seed: int,
    first_day: date,
    days: int,
) -> Station:
    incidents = _INCIDENTS[number % len(_INCIDENTS)] if model else ()
    is_bad = number % len(_INCIDENTS) == _BAD_STATION
    factor = _BAD_FACTOR if is_bad else 0.5 + float(uniform(seed, "failure factor", number))
    commissioned, retired = _OPENED_ON, None
    if "port_commissioned" in incidents:
        commissioned = first_day + timedelta(days=days // 3)
    if "port_retired" in incidents:
        retired = first_day + timedelta(days=days * 2 // 3)
    connectors = model.connectors if model else ("Type2",)
    power_kw = model.power_kw if model else 22
    last = len(connectors)
    ports = tuple(
        Port(
            evse_id,
            plugs,
            power_kw,
            commissioned if evse_id == last else _OPENED_ON,
            retired if evse_id == last else None,
            time_zone if evse_id == 1 else None,
        )
        for evse_id, plugs in enumerate(connectors, start=1)
    )
    return Station(
        number=number,
        station_id=f"CP{number + 1:05}",
        site_id=site_id,
        name=f"Site {site_id[1:].lstrip('0')} charger {place + 1}",
        time_zone=time_zone,
        model=model,
        ports=ports,
        heartbeat_s=None if number % 2 else USUAL_HEARTBEAT_S,
        failure_factor=factor,
        breakdown_factor=factor,
        incidents=incidents,
    )
