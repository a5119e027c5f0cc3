"""Writes releases: read, staged, audited, renamed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ev_charging.release.audit import audit_release
from ev_charging.release.known import Known, read_known
from ev_charging.release.partner_list import Delivery, read_partner_list
from ev_charging.release.periods import check_period, latest_period
from ev_charging.release.place import check_way, other_epochs, was_released
from ev_charging.release.provenance import check_epoch, read_provenance
from ev_charging.release.refusals import ExitCode, Refusal
from ev_charging.release.release import Release, read_release
from ev_charging.release.staging import move_into_place, staging_folder, write_folder
from ev_charging.warehouse import WarehouseError, open_warehouse


@dataclass(frozen=True)
class Released:
    """A release that is at its place, written now or before, and the month's other epochs."""

    release: Release
    was_there: bool
    other_epochs: list[str]


def export_extracts(
    warehouse: Path,
    output: Path,
    partners: Iterable[str] = (),
    period: str | None = None,
    epoch: str | None = None,
) -> list[Released]:
    """Write what partners receive of a month, each release as a whole.

    Nothing is written if any of the releases is refused.

    Args:
        warehouse: the DuckDB file, which is only read.
        output: folder of all releases, created if missing.
        partners: names as in partner_extracts; without any, all of them.
        period: month as YYYY-MM; without it, the latest that an extract has rows of.
        epoch: the epoch that the warehouse must be of.

    Raises:
        Refusal: why nothing was written, with its exit code.
    """
    if period is not None:
        check_period(period)
    try:
        with open_warehouse(warehouse) as connection:
            releases, known = _read(connection, list(partners), period, epoch)
    except WarehouseError as error:
        raise Refusal(ExitCode.NO_WAREHOUSE, str(error)) from error
    try:
        return _write(releases, known, output)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Refusal(ExitCode.OUTPUT_FAILED, f"can't write into {output}: {reason}") from error


def _read(
    connection: duckdb.DuckDBPyConnection,
    partners: list[str],
    period: str | None,
    epoch: str | None,
) -> tuple[list[Release], Known]:
    listed = read_partner_list(connection)
    chosen = _chosen(listed, partners)
    provenance = read_provenance(connection)
    check_epoch(provenance, epoch)
    if period is None:
        period = latest_period(
            connection, (delivery for deliveries in listed.values() for delivery in deliveries)
        )
    releases = [
        read_release(connection, partner, period, provenance, deliveries)
        for partner, deliveries in chosen.items()
    ]
    return releases, read_known(connection, provenance, period)


def _chosen(listed: dict[str, list[Delivery]], partners: list[str]) -> dict[str, list[Delivery]]:
    for partner in partners:
        if partner not in listed:
            raise Refusal(
                ExitCode.UNKNOWN_PARTNER,
                f"no partner {partner!r}: partner_extracts has {', '.join(sorted(listed))}",
            )
    return {partner: listed[partner] for partner in (partners or sorted(listed))}


def _write(releases: list[Release], known: Known, output: Path) -> list[Released]:
    with staging_folder(output) as staging:
        for release in releases:
            write_folder(staging / release.partner, release.contents)
            audit_release(staging / release.partner, release, known)
            check_way(output, release.place)
        written = [
            Released(
                release,
                was_released(output / release.place, release.contents),
                other_epochs(output, release.place),
            )
            for release in releases
        ]
        for released in written:
            if not released.was_there:
                release = released.release
                move_into_place(staging / release.partner, output, release.place)
    return written
