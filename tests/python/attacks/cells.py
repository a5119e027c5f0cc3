"""Which raw records a released cell or value is about."""

import re
from functools import reduce
from math import gcd

import numpy as np
import pandas as pd

from attacks import DOMINANCE_SHARE, MIN_CLIENTS, MIN_VEHICLES, P_PERCENT
from attacks.feeds import MIN_CONSUMPTION_KM, RawFeeds

# Columns that say what a figure is about; all others are figures.
KEYS = (
    *("month", "drive_date", "weekday", "day_period", "vehicle_type", "battery_class"),
    *("battery_chemistry", "place", "region", "completeness"),
)
REST = ("other", "others", "rest")
ALL = ("all", "total")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BOUNDS = re.compile(r"(up to|below|under|from|above|over|at least)?\s*(\d+(?:\.\d+)?)")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
OF_DRIVES = re.compile(r"drive|driven|distance|consumption|per_100km")
# Words in the name of a figure, and the column of the raw records that it is about.
MEASURES = {
    "max_power": "max_power_kw",
    "power": "mean_power_kw",
    "duration": "duration_minutes",
    "soc_start": "soc_start_pct",
    "soc_end": "soc_end_pct",
    "distance": "distance_km",
    "consumption": "consumption_kwh_per_100km",
    "energy_kwh": "energy_kwh",
}
# The same of shares of drives.
SHARES = {"long_drives_share": "is_long", "hungry_drives_share": "is_hungry"}
STATISTICS = re.compile(r"mean|average|median|_p\d\d|max|min|share|pct|per_|class|lost|count|date")


def records_of(extract: str, column: str, feeds: RawFeeds) -> pd.DataFrame:
    """Records that a column is computed from: drives or charging sessions.

    The name of the column decides, then that of the extract.
    """
    if column not in KEYS and re.search("energy|power|soc_(start|end)", column):
        is_of_drives = OF_DRIVES.search(column) is not None
    else:
        is_of_drives = OF_DRIVES.search(f"{extract} {column}") is not None
        is_of_drives |= extract.startswith("vehicle_type")
    return feeds.drives if is_of_drives else feeds.charged


def keys_of(table: pd.DataFrame) -> list[str]:
    """Columns of a table that say what its rows are about."""
    return [column for column in KEYS if column in table]


def figures_of(table: pd.DataFrame) -> list[str]:
    """Columns of a table that hold numbers and are no keys."""
    return [
        column
        for column in table.columns
        if column not in KEYS and len(numbers(table[column])) and column != "vehicle_pseudonym"
    ]


def sums_of(table: pd.DataFrame) -> list[str]:
    """Figures that are sums over records."""
    return [column for column in figures_of(table) if not STATISTICS.search(column)]


def measure_of(figure: str) -> str | None:
    """The column of the raw records that a figure is about."""
    return next((column for word, column in MEASURES.items() if re.search(word, figure)), None)


def by_vehicle(records: pd.DataFrame, measure: str) -> pd.Series:
    """What each vehicle says, with one vote: its energy, its consumption, its mean of the rest."""
    known = records.dropna(subset=[measure])
    if measure == "consumption_kwh_per_100km":
        known = known[known["distance_km"] >= MIN_CONSUMPTION_KM]
        weighted = known[measure] * known["distance_km"]
        vehicles = known["vehicle_id"]
        return weighted.groupby(vehicles).sum() / known["distance_km"].groupby(vehicles).sum()
    values = known.groupby("vehicle_id")[measure]
    return values.sum() if measure == "energy_kwh" else values.mean()


def numbers(texts: pd.Series) -> pd.Series:
    """Values of a column that is numeric wherever it is filled; else nothing."""
    filled = texts[texts != ""]
    if not filled.map(lambda text: NUMBER.fullmatch(text) is not None).all():
        return pd.Series(dtype=float)
    return filled.astype(float)


def step_of(texts: pd.Series) -> float:
    """The step that a column is rounded to, as its values show it; 0 where it isn't numeric.

    Percentages are rounded to a part of 100, however few of them there are.
    """
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    scale = 10**decimals
    parts = [round(abs(value) * scale) for value in numbers(texts)]
    if parts and str(texts.name).endswith("_pct"):
        parts.append(100 * scale)
    return reduce(gcd, parts, 0) / scale


def covers(records: pd.DataFrame, table: pd.DataFrame, row: pd.Series) -> np.ndarray:
    """Which records a row of an aggregate is about; 'other' is what no row beside it names."""
    covered = np.ones(len(records), bool)
    for key in keys_of(table):
        covered &= _has_value(records, table, row, key)
    return covered


def _has_value(records: pd.DataFrame, table: pd.DataFrame, row: pd.Series, key: str) -> np.ndarray:
    value = row[key]
    if value.lower() in ALL:
        return np.ones(len(records), bool)
    if value.lower() in REST:
        beside = keys_of(table)
        beside.remove(key)
        named = table[(table[beside] == row[beside]).all(axis=1)][key].unique()
        return ~np.any(
            [is_value(records, key, other) for other in named if other.lower() not in (*REST, *ALL)]
            or [np.zeros(len(records), bool)],
            axis=0,
        )
    return is_value(records, key, value)


def is_value(records: pd.DataFrame, column: str, text: str, step: float = 0.0) -> np.ndarray:
    """Which records may have been released with this text in this column.

    A number stands for what is rounded to it, a class such as '11 to 50 kW' for all within;
    an empty text or 'unknown' for a missing value. Raises KeyError for an unknown column.
    """
    if column.endswith("power_class"):
        return _is_in_class(records["max_power_kw"].to_numpy(float), text)
    values = records[column.removesuffix("_class") if column not in records else column]
    if text.lower() in ("", "unknown"):
        return (values.isna() | values.isin(["", "unknown"])).to_numpy()
    if values.dtype.kind == "f":
        return _is_near(values.to_numpy(), float(text), step)
    if column == "weekday" and not text.isdigit():
        text = str([day.startswith(text.lower()) for day in WEEKDAYS].index(True) + 1)
    return (values.astype(str).str.lower() == text.lower()).to_numpy(bool)


def _is_near(values: np.ndarray, value: float, step: float) -> np.ndarray:
    return np.abs(values - value) <= step / 2 + 1e-6


def _is_in_class(values: np.ndarray, text: str) -> np.ndarray:
    if text.lower() in ("", "unknown"):
        return np.isnan(values)
    found = [(word or "", float(number)) for word, number in BOUNDS.findall(text.lower())]
    low, high = -np.inf, np.inf
    for word, number in found:
        if word in ("above", "over", "from", "at least") or (word == "" and len(found) == 2):
            low = number
        else:
            high = number
    return (values >= low) & (values <= high)


def weakness(records: pd.DataFrame, measure: str | None = None) -> str | None:
    """Why a figure about these records must not be known; None if it may, or is about nobody.

    Too few vehicles or clients; for a sum of a measure also a contributor who can be estimated
    to P_PERCENT by the second largest, or who holds more than DOMINANCE_SHARE.
    """
    vehicles = records["vehicle_id"].nunique()
    clients = records["client_id"].nunique()
    if not vehicles:
        return None
    if vehicles < MIN_VEHICLES:
        return f"{vehicles} vehicles"
    if clients < MIN_CLIENTS:
        return f"{clients} clients"
    if measure is None:
        return None
    for unit in ("vehicle", "client"):
        parts = records[measure].abs().groupby(records[f"{unit}_id"].fillna("")).sum().nlargest(2)
        whole, first, second = records[measure].abs().sum(), *parts
        if first > DOMINANCE_SHARE * whole:
            return f"a {unit} with {first / whole:.0%} of it"
        if whole - first - second < P_PERCENT * first:
            return f"a {unit} known to {(whole - first - second) / first:.0%}"
    return None
