"""The cells of aggregated extracts, as quality.extract_audit names them."""

from collections.abc import Sequence

# What a row of an extract is about, its month apart.
CELL_COLUMNS = {
    "drive_lengths": ("drive_date", "day_period"),
    "vehicle_type_consumption": ("vehicle_type",),
    "battery_usage": ("battery_class",),
    "session_indicators": ("place",),
}
_BETWEEN = " / "


def cell_name(values: Sequence[str]) -> str:
    """Return the name of a cell from the values of its columns."""
    return _BETWEEN.join(values)
