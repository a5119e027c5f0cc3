"""The prices of a run: those of the made-up market, or of a file like the feed market__prices."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from ev_charging.market.prices import ZONES, hourly_prices
from ev_charging.simulation.config import FleetConfig

# That of the committed prices.
MARKET_SEED = 42
_NUMBERS = ("eur_per_mwh", "g_co2_per_kwh")
_COLUMNS = ("zone", "starts_at", "minutes", *_NUMBERS)
_MAY_BE_MISSING = ("g_co2_per_kwh",)
# A controller plans up to the departure after next.
_DAYS_AFTER = 2
_FIRST_YEAR, _LAST_YEAR = 1971, 2200


def market_prices(config: FleetConfig) -> pd.DataFrame:
    """Return the hours of the run's zone in the made-up market.

    It is the market of the feed market__prices, whatever the seed of the run, so that runs of
    several seeds can be loaded together.

    Raises:
        ValueError: that market has no such zone or time.
    """
    if config.zone not in ZONES:
        raise ValueError(
            f"zone must be one of {', '.join(ZONES)}, or come with a file of prices, not"
            f" {config.zone}"
        )
    first, last = _needed(config)
    # the zone's days may begin later than the drivers'
    margin = timedelta(days=1)
    days = (last - first).days + 2 * margin.days
    return hourly_prices(config.zone, first - margin, days, MARKET_SEED)


def read_prices(path: Path, config: FleetConfig) -> pd.DataFrame:
    """Return the prices of the run's zone and time in a CSV or Parquet file.

    Of two prices of the same time the later row counts.

    Args:
        path: a file with the columns of the feed market__prices, times in UTC.
        config: the run.

    Raises:
        ValueError: the file can't be read, a column is missing, a price of the run is no number,
            or the prices don't reach from the first day of the warm-up to two days after the run.
    """
    rows = _read(path)
    missing = [column for column in _COLUMNS if column not in rows]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}")
    rows = rows[rows["zone"] == config.zone]
    if rows.empty:
        raise ValueError(f"{path} has no prices of zone {config.zone}")
    starts_at = pd.to_datetime(rows["starts_at"], errors="coerce", utc=True, format="ISO8601")
    minutes = pd.to_numeric(rows["minutes"], errors="coerce")
    ends_at = starts_at + pd.to_timedelta(minutes.where(minutes % 1 == 0), unit="min")
    if ends_at.isna().all():
        at, length = rows[["starts_at", "minutes"]].iloc[0]
        raise ValueError(f"{path}: starts_at and minutes can't be {at!r} and {length!r}")
    needed, given = _needed_instants(config), (starts_at.min(), ends_at.max())
    if not (given[0] <= needed[0] and needed[1] <= given[1]):
        raise ValueError(f"{path} has prices of {_span(given)}, the run needs {_span(needed)}")
    # A time that is none leaves a gap, which a controller that plans refuses.
    is_needed = (ends_at > needed[0]) & (starts_at < needed[1]) & (starts_at < ends_at)
    rows = rows[is_needed]
    prices = pd.DataFrame({"zone": rows["zone"]})
    prices["starts_at"] = starts_at[is_needed].dt.tz_localize(None).astype("datetime64[s]")
    prices["minutes"] = minutes[is_needed].astype(np.int64)
    for column in _NUMBERS:
        numbers = pd.to_numeric(rows[column], errors="coerce")
        is_wrong = ~np.isfinite(numbers)
        if column in _MAY_BE_MISSING:
            is_wrong &= rows[column].notna()
        if is_wrong.any():
            at, value = rows[is_wrong][["starts_at", column]].iloc[0]
            raise ValueError(f"{path}: {column} of {at} must be a number, not {value!r}")
        prices[column] = numbers
    prices = prices.drop_duplicates("starts_at", keep="last")
    return prices.sort_values("starts_at", ignore_index=True)


def _read(path: Path) -> pd.DataFrame:
    is_parquet = path.suffix.lower() in (".parquet", ".parq", ".pq")
    try:
        with duckdb.connect() as connection:
            if is_parquet:
                rows = connection.read_parquet(str(path))
            else:
                rows = connection.read_csv(str(path), header=True, all_varchar=True)
            columns = (f'cast("{name}" as varchar) as "{name}"' for name in rows.columns)
            return rows.project(", ".join(columns)).df()
    except duckdb.Error as error:
        raise ValueError(f"{path} can't be read: {str(error).splitlines()[0]}") from error


def _needed(config: FleetConfig) -> tuple[date, date]:
    """Return the first local day that needs prices, and the first that needs none.

    Raises:
        ValueError: the run lies where no market is.
    """
    if not _FIRST_YEAR <= config.start.year <= _LAST_YEAR:
        raise ValueError(
            f"start must lie between {_FIRST_YEAR} and {_LAST_YEAR}, not {config.start}"
        )
    first = config.start - timedelta(days=config.warm_up_days)
    return first, config.start + timedelta(days=config.days + _DAYS_AFTER)


def _needed_instants(config: FleetConfig) -> tuple[pd.Timestamp, pd.Timestamp]:
    begin, end = (pd.Timestamp(day, tz=config.time_zone) for day in _needed(config))
    return begin.tz_convert("UTC"), end.tz_convert("UTC")


def _span(instants: tuple[pd.Timestamp, pd.Timestamp]) -> str:
    return " to ".join(f"{instant:%Y-%m-%dT%H:%MZ}" for instant in instants)
