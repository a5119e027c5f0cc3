"""Rows of text as CSV: UTF-8, commas, LF, quotes only where they are needed.

The module csv of the standard library quotes differently from one version of Python to the next;
a release has to be the same bytes on all.
"""

import csv
import io
from collections.abc import Iterable, Sequence

_QUOTED = frozenset('",\r\n')


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Return the rows as the content of a CSV file."""
    return "".join(",".join(map(_field, row)) + "\n" for row in rows).encode()


def csv_rows(content: bytes) -> list[list[str]]:
    """Return the rows of a CSV file.

    Raises:
        ValueError: the content is no UTF-8 or no CSV.
    """
    try:
        return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _field(text: str) -> str:
    if _QUOTED.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
