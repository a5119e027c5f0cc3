"""The seed of the market source: a year of one zone, a week of another, and what can go wrong."""

from datetime import date
from pathlib import Path

import pandas as pd

from ev_charging.bad_rows import DUPLICATE, SUPERSEDED, bad_row, with_bad_rows
from ev_charging.feed_files import as_text, write_text
from ev_charging.market.prices import DECIMALS, hourly_prices, split_hours

PRICES_FILE = "raw_market__prices.csv"
YEAR, YEAR_DAYS = date(2024, 1, 1), 366
GB_WEEK = date(2024, 6, 10)
MISSING_HOURS = pd.date_range("2024-07-10T00:00", periods=3, freq="h")
QUARTER_HOURS_FROM = pd.Timestamp("2024-12-24T23:00")

# The hour that is delivered once more, and what is wrong with that row.
BAD_ROWS = (
    ("2024-02-14T09:00Z", bad_row("not_a_number", eur_per_mwh="81.4EUR")),
    ("2024-03-05T17:00Z", bad_row("missing_key", starts_at="")),
    ("2024-04-09T06:00Z", bad_row(DUPLICATE)),
    ("2024-05-23T12:00Z", bad_row(SUPERSEDED, eur_per_mwh="7.77")),
    ("2024-08-19T03:00Z", bad_row("out_of_range", minutes="0")),
    ("2024-09-12T15:00Z", bad_row("not_finite", g_co2_per_kwh="NaN")),
    ("2024-11-21T16:00Z", bad_row("implausible_price", eur_per_mwh="99999")),
)


def seed_prices(seed: int) -> pd.DataFrame:
    """Return the rows of the seed as text, in the order of the file, bad rows included.

    NO3 has the hours of the local year 2024 but for three of a night in July, and quarter-hours
    in its last week; GB has the half-hours of one week.
    """
    year = hourly_prices("NO3", YEAR, YEAR_DAYS, seed)
    has_quarters = year["starts_at"] >= QUARTER_HOURS_FROM
    is_hourly = ~(has_quarters | year["starts_at"].isin(MISSING_HOURS))
    parts = [
        year[is_hourly],
        split_hours(year[has_quarters], 15),
        split_hours(hourly_prices("GB", GB_WEEK, 7, seed), 30),
    ]
    rows = as_text(pd.concat(parts, ignore_index=True), DECIMALS)
    positions = {starts_at: place for place, starts_at in enumerate(rows["starts_at"])}
    return with_bad_rows(rows, [(positions[starts_at], bad) for starts_at, bad in BAD_ROWS])


def write_price_seed(folder: Path, seed: int) -> dict[Path, int]:
    """Write the seed into `folder`; return its number of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PRICES_FILE
    return {path: write_text(seed_prices(seed), path)}
