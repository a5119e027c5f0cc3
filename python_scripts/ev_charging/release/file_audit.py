"""Audits one staged file: header, form, figures, order, cells, and traces of somebody in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ev_charging.release.cells import CELL_COLUMNS, cell_name
from ev_charging.release.csv_text import csv_rows
from ev_charging.release.extract_table import MONTH, Row, is_number, row_order
from ev_charging.release.figure_audit import audit_figures
from ev_charging.release.known import Known
from ev_charging.release.partner_list import Delivery
from ev_charging.release.refusals import failed_audit
from ev_charging.release.text_safety import is_formula, original_text


def audited_rows(
    content: bytes, delivery: Delivery, period: str, parameters: Mapping[str, Any], known: Known
) -> list[Row]:
    """Return the rows of a file that passed the audit.

    Args:
        content: what is in the file.
        delivery: what is meant to be in it.
        period: its month.
        parameters: the limits that its manifest tells.
        known: what it is compared with.

    Raises:
        Refusal: a check failed; the message names the check and never what it found.
    """
    try:
        header, *rows = csv_rows(content)
    except ValueError as error:
        raise failed_audit(delivery.extract, "the file is no CSV") from error
    if tuple(header) != delivery.columns:
        raise failed_audit(delivery.extract, "the header isn't the list of the partner's columns")
    _check_form(rows, delivery, period)
    audit_figures(rows, delivery, parameters)
    _check_order(rows, delivery)
    _check_traces(rows, delivery, known)
    if not delivery.has_pseudonyms:
        _check_cells(rows, delivery, known)
    return rows


def _check_form(rows: Sequence[Row], delivery: Delivery, period: str) -> None:
    columns = delivery.columns
    months = [place for place, column in enumerate(columns) if column == MONTH]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise failed_audit(
                delivery.extract, f"row {number} has not as many values as the header"
            )
        if not any(text for column, text in zip(columns, row, strict=True) if column != MONTH):
            raise failed_audit(delivery.extract, f"row {number} holds nothing")
        if any(row[place] != period for place in months):
            raise failed_audit(delivery.extract, f"row {number} is of another month")
        for column, text in zip(columns, row, strict=True):
            if not is_number(delivery, column) and is_formula(text):
                raise failed_audit(delivery.extract, f"row {number} has a formula in {column}")


def _check_order(rows: Sequence[Row], delivery: Delivery) -> None:
    if len(set(map(tuple, rows))) < len(rows):
        raise failed_audit(delivery.extract, "a row is there twice")
    if rows != sorted(rows, key=row_order(delivery)):
        raise failed_audit(delivery.extract, "the rows aren't in their order")


def _check_traces(rows: Sequence[Row], delivery: Delivery, known: Known) -> None:
    for column, texts in zip(delivery.columns, zip(*rows, strict=True), strict=False):
        if not is_number(delivery, column):
            for what in known.traces.found_in(texts).values():
                raise failed_audit(
                    delivery.extract, f"{column} holds {what} of a vehicle or client"
                )


def _check_cells(rows: Sequence[Row], delivery: Delivery, known: Known) -> None:
    """Refuse cells that aren't published, or are about too few."""
    columns = CELL_COLUMNS.get(delivery.extract)
    if columns is None:
        raise failed_audit(delivery.extract, "its cells aren't known to the export")
    missing = [column for column in columns if column not in delivery.columns]
    if missing:
        raise failed_audit(
            delivery.extract,
            f"its rows don't say what they are about, as {missing[0]} isn't listed",
        )
    places = [delivery.columns.index(column) for column in columns]
    published = known.published.get(delivery.extract, set())
    for number, row in enumerate(rows, start=1):
        if cell_name([original_text(row[place]) for place in places]) not in published:
            raise failed_audit(
                delivery.extract,
                f"row {number} is of a cell that is hidden or too small in quality.extract_audit",
            )
