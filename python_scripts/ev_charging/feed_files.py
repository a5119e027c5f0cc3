"""Feeds as text: how values are written, and files that appear once they are complete."""

import csv
import tempfile
from pathlib import Path

import duckdb
import pandas as pd

FORMATS = ("csv", "parquet")
COPY_OPTIONS = {
    "csv": "format csv, header",
    "parquet": "format parquet, compression zstd",
}
_TIME_FORMAT = "%Y-%m-%dT%H:%MZ"


def as_text(frame: pd.DataFrame, decimals: dict[str, int]) -> pd.DataFrame:
    """Return the values as a feed delivers them, all columns text, a missing value as ''.

    Instants become ISO 8601 to the minute with Z, truth values true and false.

    Args:
        frame: typed columns; datetime64 columns are UTC without a time zone.
        decimals: number of decimals of each column that is a decimal number.
    """
    with duckdb.connect() as connection:
        text = connection.from_query(_text_query(connection, frame, decimals)).df()
    return text.fillna("")


def write_text(frame: pd.DataFrame, path: Path) -> int:
    """Write columns of text as CSV with commas and LF; return the number of rows.

    Raises:
        csv.Error: if a value would need quotes.
    """
    frame.to_csv(path, index=False, lineterminator="\n", quoting=csv.QUOTE_NONE)
    return len(frame)


def write_feed(
    frame: pd.DataFrame, decimals: dict[str, int], folder: Path, name: str, file_format: str
) -> Path:
    """Write typed columns as text, as `as_text` does, to `<folder>/<name>.<file_format>`.

    The file appears under its name once it is complete.

    Args:
        frame: see `as_text`.
        decimals: see `as_text`.
        folder: where to write; it must exist.
        name: name of the file without its ending.
        file_format: one of `FORMATS`.

    Raises:
        ValueError: if the format is unknown.
    """
    if file_format not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}")
    path = folder / f"{name}.{file_format}"
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as scratch,
        duckdb.connect() as connection,
    ):
        unfinished = Path(scratch) / path.name
        target = str(unfinished).replace("'", "''")
        query = _text_query(connection, frame, decimals)
        connection.execute(f"copy ({query}) to '{target}' ({COPY_OPTIONS[file_format]})")
        unfinished.replace(path)
    return path


def _text_query(
    connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, decimals: dict[str, int]
) -> str:
    connection.register("frame", frame)
    columns = []
    for column in frame.columns:
        if column in decimals:
            value = f'cast("{column}" as decimal(18, {decimals[column]}))'
        elif pd.api.types.is_datetime64_dtype(frame[column].dtype):
            value = f"strftime(\"{column}\", '{_TIME_FORMAT}')"
        else:
            value = f'"{column}"'
        columns.append(f'cast({value} as varchar) as "{column}"')
    return f"select {', '.join(columns)} from frame"
