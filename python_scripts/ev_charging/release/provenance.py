"""What the extracts of a warehouse were made with: epoch, kind of key, limits."""

import json
import re
from dataclasses import dataclass
from typing import Any

import duckdb

from ev_charging.release.limits import check_limits
from ev_charging.release.refusals import ExitCode, Refusal
from ev_charging.release.relations import read_rows

EPHEMERAL = "ephemeral"
EPOCH = "extract_epoch"
# An epoch is a folder of the release.
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Provenance:
    """Epoch and kind of key of all pseudonyms, and the limits of all extracts by their var.

    `key_source` is None where the warehouse has no pseudonym.
    """

    epoch: str
    key_source: str | None
    parameters: dict[str, Any]


def read_provenance(connection: duckdb.DuckDBPyConnection) -> Provenance:
    """Return what the extracts of the warehouse were made with.

    Raises:
        Refusal: the warehouse doesn't say so, or says what can't be a limit, its pseudonyms are of
            several keys or epochs, or its epoch can't be the name of a folder.
    """
    parameters = {
        name: _value(name, value)
        for name, value in read_rows(
            connection,
            "select parameter, value from intermediate.int_extracts__parameters order by 1",
        )
    }
    if EPOCH not in parameters:
        raise Refusal(ExitCode.NO_WAREHOUSE, f"the warehouse doesn't tell {EPOCH}: run dbt build")
    check_limits(parameters)
    epoch = str(parameters.pop(EPOCH))
    made_with = read_rows(
        connection,
        "select distinct epoch, key_source from intermediate.int_extracts__pseudonyms order by all",
    )
    if len(made_with) > 1 or any(other != epoch for other, _ in made_with):
        raise Refusal(
            ExitCode.OTHER_EPOCH,
            f"the extracts are of epoch {epoch} and the pseudonyms of "
            + ", ".join(f"epoch {other} with a key of source {key}" for other, key in made_with)
            + ": build all extracts at once",
        )
    if not _FOLDER_NAME.fullmatch(epoch):
        raise Refusal(ExitCode.OTHER_EPOCH, f"the epoch {epoch!r} can't be the name of a folder")
    return Provenance(epoch, made_with[0][1] if made_with else None, parameters)


def _value(name: str, text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except ValueError as error:
        raise Refusal(
            ExitCode.NO_WAREHOUSE, f"{name} can't be read in the warehouse: run dbt build"
        ) from error


def check_epoch(provenance: Provenance, wanted: str | None) -> None:
    """Refuse another epoch than that of the warehouse.

    Raises:
        Refusal: an epoch is wanted, and the warehouse has another one.
    """
    if wanted not in (None, provenance.epoch):
        raise Refusal(
            ExitCode.OTHER_EPOCH,
            f"the warehouse is of epoch {provenance.epoch}, not of {wanted}: build it with the"
            f" var {EPOCH}",
        )
