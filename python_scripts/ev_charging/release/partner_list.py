"""What each partner is to receive: the reference seed partner_extracts."""

import re
from dataclasses import dataclass

import duckdb

from ev_charging.release.refusals import ExitCode, Refusal
from ev_charging.release.relations import column_types, quoted, read_rows

PARTNER = "partner"
PSEUDONYM = "vehicle_pseudonym"
_SCHEMA = "extracts"
_PREFIX = "extract_"
# A partner is a folder of the release.
_FOLDER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Delivery:
    """An extract and the columns of it that a partner receives, in the order of the list.

    `types` are all columns of the extract with their types, delivered or not.
    """

    extract: str
    columns: tuple[str, ...]
    types: dict[str, str]

    @property
    def relation(self) -> str:
        """The extract as SQL names it."""
        return f"{_SCHEMA}.{quoted(_PREFIX + self.extract)}"

    @property
    def has_pseudonyms(self) -> bool:
        """Whether the rows of the extract are about single vehicles, under pseudonyms."""
        return PSEUDONYM in self.types


def read_partner_list(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Delivery]]:
    """Return the deliveries of every partner.

    Raises:
        Refusal: the warehouse has no list, or it is empty, or it names something twice, an extract
            or a column that isn't there, a partner whose name can't be that of a folder, or the
            column partner, which is no business of the others, or columns of single vehicles
            without the pseudonym, by which the rows of a partner are found.
    """
    listed = read_rows(
        connection,
        f"select {PARTNER}, extract, column_name from reference.partner_extracts order by rowid",
    )
    if not listed:
        raise _wrong("no partner")
    known = column_types(connection, _SCHEMA)
    columns: dict[str, dict[str, list[str]]] = {}
    for partner, extract, column in listed:
        _check(partner, extract, column, known)
        chosen = columns.setdefault(partner, {}).setdefault(extract, [])
        if column in chosen:
            raise _wrong(f"{partner} {extract} {column} twice")
        chosen.append(column)
    deliveries = {
        partner: [
            Delivery(extract, tuple(chosen), known[_PREFIX + extract])
            for extract, chosen in extracts.items()
        ]
        for partner, extracts in columns.items()
    }
    for partner, of_partner in deliveries.items():
        for delivery in of_partner:
            if delivery.has_pseudonyms and PSEUDONYM not in delivery.columns:
                raise _wrong(
                    f"columns of {delivery.extract} for {partner} and not {PSEUDONYM}, which has"
                    " to be listed with them"
                )
    return deliveries


def _check(partner: str, extract: str, column: str, known: dict[str, dict[str, str]]) -> None:
    if not _FOLDER_NAME.fullmatch(partner or ""):
        raise _wrong(f"a partner {partner!r}, which can't be the name of a folder")
    if _PREFIX + (extract or "") not in known:
        raise _wrong(f"an extract {extract!r}, which the warehouse lacks")
    if column == PARTNER:
        raise _wrong(f"the column {PARTNER} of {extract}, which is never delivered")
    if column not in known[_PREFIX + extract]:
        raise _wrong(f"a column {column!r}, which the extract {extract} lacks")


def _wrong(what: str) -> Refusal:
    return Refusal(ExitCode.BAD_PARTNER_LIST, f"partner_extracts names {what}")
