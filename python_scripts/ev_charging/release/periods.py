"""The month that a release is of."""

import re
from collections.abc import Iterable

import duckdb

from ev_charging.release.partner_list import Delivery
from ev_charging.release.refusals import ExitCode, Refusal
from ev_charging.release.relations import read_rows

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def check_period(period: str) -> None:
    """Refuse what is no month.

    Raises:
        Refusal: the period isn't written as YYYY-MM.
    """
    if not _MONTH.fullmatch(period):
        raise Refusal(ExitCode.BAD_PERIOD, f"the period must be a month as 2025-06, not {period!r}")


def latest_period(connection: duckdb.DuckDBPyConnection, deliveries: Iterable[Delivery]) -> str:
    """Return the last month that any of the extracts has a row of.

    Raises:
        Refusal: none has a row.
    """
    relations = sorted({delivery.relation for delivery in deliveries})
    months = [
        read_rows(connection, f"select max(month) from {relation}")[0][0] for relation in relations
    ]
    if not any(months):
        raise Refusal(
            ExitCode.BAD_PERIOD, "no extract has a row, so the period has to be named: --period"
        )
    return max(filter(None, months))
