"""The small network of the seeds: five stations with messages and two that are only listed."""

from dataclasses import replace
from datetime import date

from ev_charging.network_feed.layout import (
    NEW_YORK,
    OCPP_16,
    OCPP_201,
    OSLO,
    Model,
    Port,
    Site,
    Station,
)

# The clocks go back on 27 October in Oslo and on 3 November in New York.
FIRST_DAY, DAYS = date(2024, 10, 1), 41
# Fewer heartbeats and meter values than usual keep the seeds small.
HEARTBEAT_S = 10_800
_AC_INTERVAL_S, _DC_INTERVAL_S = 3600, 1200
_OPENED_ON = date(2023, 5, 2)

_QUAY_AC = Model(
    *(OCPP_16, "Elvelund", "Duo 22", ("Type2", "Type2"), 22, 0.9, _AC_INTERVAL_S),
    register="kWh",
    lower_case=True,
)
_QUAY_DC = Model(
    *(OCPP_201, "Fjordkraft", "HPC 150", ("CCS2+CHAdeMO", "CCS2"), 150, 1.4, _DC_INTERVAL_S),
    register="Wh3",
)
_MALL_DC = Model(
    *(OCPP_201, "Hudson", "H150", ("CCS1+NACS", "CCS1+NACS"), 150, 1.4, _DC_INTERVAL_S),
)
_MALL_AC = Model(
    *(OCPP_16, "Juniper", "L2 Twin", ("J1772", "J1772"), 11, 0.8, _AC_INTERVAL_S),
    sends_transaction_data=True,
)
_FERRY_DC = Model(
    *(OCPP_16, "Nordlader", "Quick 50", ("CCS2+CHAdeMO",), 50, 2.1, _DC_INTERVAL_S),
    names_measurand=False,
    stamps_status=False,
    is_terse=True,
)


def seed_sites() -> list[Site]:
    """Return the sites of the seeds."""
    stations = (
        _station(0, "quay", "Quay north", OSLO, _QUAY_AC, 0.6, "fault_at_month_end"),
        _station(1, "quay", "Quay south", OSLO, _QUAY_DC, 0.8, "offline_at_clock_change"),
        _station(2, "mall", "Mall level 1", NEW_YORK, _MALL_DC, 1.0, "fault_at_month_end"),
        _station(3, "mall", "Mall level 2", NEW_YORK, _MALL_AC, 0.7, "offline_at_clock_change"),
        _station(4, "ferry", "Ferry landing", OSLO, _FERRY_DC, 4.0),
        _station(5, "park", "Park gate", OSLO, None, 1.0),
        _station(6, "park", "Park garage", OSLO, None, 1.0),
    )
    stations = (
        stations[0],
        _with_second_port(stations[1], commissioned_on=date(2024, 10, 16), time_zone=OSLO),
        _with_second_port(stations[2], retired_on=date(2024, 10, 23)),
        *stations[3:],
    )
    names = dict.fromkeys(station.site_id for station in stations)
    return [
        Site(
            number,
            site_id,
            next(one.time_zone for one in stations if one.site_id == site_id),
            tuple(one for one in stations if one.site_id == site_id),
        )
        for number, site_id in enumerate(names)
    ]


def _station(
    number: int,
    site_id: str,
    name: str,
    time_zone: str,
    model: Model | None,
    failure_factor: float,
    *incidents: str,
) -> Station:
    connectors = model.connectors if model else ("Type2",)
    ports = tuple(
        Port(evse_id, plugs, model.power_kw if model else 22, _OPENED_ON)
        for evse_id, plugs in enumerate(connectors, start=1)
    )
    return Station(
        number=number,
        station_id=f"{site_id}-{number + 1}",
        site_id=site_id,
        name=name,
        time_zone=time_zone,
        model=model,
        ports=ports,
        heartbeat_s=HEARTBEAT_S if model else None,
        failure_factor=failure_factor,
        breakdown_factor=failure_factor / 3,
        incidents=incidents,
    )


def _with_second_port(station: Station, **details: object) -> Station:
    first, second = station.ports
    return replace(station, ports=(first, replace(second, **details)))
