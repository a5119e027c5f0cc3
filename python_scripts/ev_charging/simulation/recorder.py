"""What a run leaves behind, day by day: tables of columns."""

import numpy as np

Table = dict[str, np.ndarray]
Tables = dict[str, Table]


class Recorder:
    """Collects rows, each table in parts, until they are taken."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._parts: dict[str, list[Table]] = {}

    def keep(self, table: str, rows: Table, is_row: np.ndarray | None = None) -> None:
        """Add rows to a table.

        Args:
            table: name of the table.
            rows: columns of the same length, the same ones every time; one is `user`.
            is_row: which of the rows are kept; None for all.
        """
        if is_row is not None and not is_row.all():
            rows = {column: values[is_row] for column, values in rows.items()}
        if len(rows["user"]):
            self._parts.setdefault(table, []).append(rows)

    def taken(self) -> Tables:
        """Return the tables that have rows, and begin new ones."""
        parts, self._parts = self._parts, {}
        return {table: _joined(of_table) for table, of_table in parts.items()}


def _joined(parts: list[Table]) -> Table:
    if len(parts) == 1:
        return parts[0]
    return {column: np.concatenate([rows[column] for rows in parts]) for column in parts[0]}
