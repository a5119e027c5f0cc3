"""The rows of an extract as a partner receives them: text, distinct, in a total order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from ev_charging.release.cells import CELL_COLUMNS
from ev_charging.release.partner_list import PARTNER, PSEUDONYM, Delivery
from ev_charging.release.relations import quoted, read_rows
from ev_charging.release.text_safety import safe_text

MONTH = "month"
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "REAL", "BIGINT", "HUGEINT", "INTEGER", "SMALLINT")
_NUMBERS += ("TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT", "UHUGEINT")

Row = Sequence[str]


@dataclass(frozen=True)
class ExtractTable:
    """The columns and rows of one file of a release."""

    delivery: Delivery
    rows: list[Row]

    @property
    def file_name(self) -> str:
        """Name of the file in the folder of the release."""
        return f"{self.delivery.extract}.csv"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as the header of the file has them."""
        return self.delivery.columns


def read_extract(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, partner: str, period: str
) -> ExtractTable:
    """Return what a partner receives of an extract for a month.

    Rows are distinct, because how often one repeats would be a count. Values that are missing are
    empty texts; texts that a spreadsheet could run are made safe.

    Raises:
        Refusal: the extract can't be read.
    """
    condition, parameters = f"{MONTH} = ?", [period]
    if PARTNER in delivery.types:
        condition, parameters = f"{condition} and {PARTNER} = ?", [period, partner]
    texts = ", ".join(
        f"coalesce(cast({quoted(column)} as varchar), '')" for column in delivery.columns
    )
    rows = read_rows(
        connection,
        f"select distinct {texts} from {delivery.relation} where {condition}",
        parameters,
    )
    are_numbers = [is_number(delivery, column) for column in delivery.columns]
    safe = [
        tuple(
            text if number else safe_text(text)
            for text, number in zip(row, are_numbers, strict=True)
        )
        for row in rows
    ]
    return ExtractTable(delivery, sorted(safe, key=row_order(delivery)))


def row_order(delivery: Delivery) -> Callable[[Row], tuple]:
    """Return the key by which the rows of a file are sorted.

    Pseudonyms come first, or the columns that name a cell; then the other columns as they are
    listed. Numbers are compared as numbers, a missing value follows all others.
    """
    leading = (PSEUDONYM, *CELL_COLUMNS.get(delivery.extract, ()))
    columns = [column for column in leading if column in delivery.columns]
    columns += [column for column in delivery.columns if column not in leading]
    places = [(delivery.columns.index(column), is_number(delivery, column)) for column in columns]

    def key(row: Row) -> tuple:
        return tuple(
            (row[place] == "", float(row[place] or 0) if number else 0.0, row[place])
            for place, number in places
        )

    return key


def is_number(delivery: Delivery, column: str) -> bool:
    """Return whether a column holds numbers."""
    return delivery.types[column].startswith(_NUMBERS)
