"""Reading a finished warehouse: one DuckDB file, opened so that nothing can change it."""

from pathlib import Path

import click
import duckdb
import pandas as pd

warehouse_option = click.option(
    "--warehouse",
    type=click.Path(path_type=Path),
    envvar="EV_WAREHOUSE",
    default=Path("ev_charging.duckdb"),
    show_envvar=True,
    help="DuckDB file that dbt build has written; it is only read.",
)


class WarehouseError(Exception):
    """The warehouse or a mart in it can't be read; the message is one line for the user."""


def open_warehouse(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the warehouse read-only.

    Raises WarehouseError if there is no such file, if it is no DuckDB database, or if a process
    that writes holds it.
    """
    if not path.is_file():
        raise WarehouseError(f"no warehouse at {path}: run dbt build first")
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"can't open the warehouse {path}: {_reason(error)}") from error


def read_mart(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list | None = None
) -> pd.DataFrame:
    """Return the rows of a query on the marts; decimals become floats.

    Raises WarehouseError if a mart or a column that the query names is missing.
    """
    try:
        return connection.execute(query, parameters or []).df()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise WarehouseError(
            f"the warehouse lacks a mart or a column ({_reason(error)}): run dbt build"
        ) from error


def _reason(error: duckdb.Error) -> str:
    # DuckDB puts the class of the error in front and excerpts of the query below.
    return str(error).splitlines()[0].partition(" Error: ")[2]
