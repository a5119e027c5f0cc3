"""Reading rows and columns of the warehouse."""

import duckdb

from ev_charging.release.refusals import ExitCode, Refusal


def read_rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list | None = None
) -> list[tuple]:
    """Return the rows of a query.

    Raises:
        Refusal: the warehouse can't answer, as it lacks a relation or a column, or is damaged.
    """
    try:
        return connection.execute(query, parameters or []).fetchall()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise Refusal(
            ExitCode.NO_WAREHOUSE, f"the warehouse can't be read ({reason}): run dbt build"
        ) from error


def column_types(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dict[str, str]]:
    """Return the columns of each relation of a schema, in their order, with their types."""
    rows = read_rows(
        connection,
        """
        select table_name, column_name, data_type
        from information_schema.columns
        where table_catalog = current_database() and table_schema = ?
        order by table_name, ordinal_position
        """,
        [schema],
    )
    types: dict[str, dict[str, str]] = {}
    for table, column, data_type in rows:
        types.setdefault(table, {})[column] = data_type
    return types


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
