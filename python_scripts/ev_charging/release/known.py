"""What the audit of a release knows of the warehouse, and the partner may not find out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from ev_charging.release.identity_traces import IdentityTraces
from ev_charging.release.limits import MIN_CLIENTS, MIN_VEHICLES
from ev_charging.release.provenance import Provenance
from ev_charging.release.relations import read_rows


@dataclass(frozen=True)
class Owner:
    """The vehicle behind a pseudonym, and its client, None where that is unknown."""

    vehicle_id: str
    client_id: str | None


@dataclass(frozen=True)
class Known:
    """What audits compare a release with.

    Args:
        min_vehicles: how many vehicles a row or a cell must be about.
        min_clients: of how many clients these must be.
        traces: finds ids of vehicles and clients.
        owners: vehicle and client by partner and pseudonym of the month.
        published: cells of the month that may be released, by extract.
    """

    min_vehicles: int
    min_clients: int
    traces: IdentityTraces
    owners: dict[str, dict[str, Owner]]
    published: dict[str, set[str]]


def read_known(connection: duckdb.DuckDBPyConnection, provenance: Provenance, period: str) -> Known:
    """Return what audits of a month need to know.

    Raises:
        Refusal: the warehouse lacks it.
    """
    vehicles = read_rows(
        connection,
        "select vehicle_id, client_id from core.dim_vehicle where source_system = 'telematics'",
    )
    min_vehicles = provenance.parameters[MIN_VEHICLES]
    min_clients = provenance.parameters[MIN_CLIENTS]
    return Known(
        min_vehicles=min_vehicles,
        min_clients=min_clients,
        traces=IdentityTraces(_present(id_ for vehicle in vehicles for id_ in vehicle)),
        owners=_owners(connection, period, dict(vehicles)),
        published=_published(connection, period, min_vehicles, min_clients),
    )


def _owners(
    connection: duckdb.DuckDBPyConnection, period: str, clients: dict[str, str | None]
) -> dict[str, dict[str, Owner]]:
    owners: dict[str, dict[str, Owner]] = defaultdict(dict)
    for partner, pseudonym, vehicle_id in read_rows(
        connection,
        """
        select partner, vehicle_pseudonym, vehicle_id
        from intermediate.int_extracts__pseudonyms
        where month = ?
        """,
        [period],
    ):
        owners[partner][pseudonym] = Owner(vehicle_id, clients.get(vehicle_id))
    return owners


def _published(
    connection: duckdb.DuckDBPyConnection, period: str, min_vehicles: int, min_clients: int
) -> dict[str, set[str]]:
    published: dict[str, set[str]] = defaultdict(set)
    for extract, cell in read_rows(
        connection,
        """
        select extract, cell
        from quality.extract_audit
        where month = ? and is_published and vehicles >= ? and clients >= ?
        """,
        [period, min_vehicles, min_clients],
    ):
        published[extract].add(cell)
    return published


def _present(ids: Iterable[str | None]) -> Iterable[str]:
    return (id_ for id_ in ids if id_)
