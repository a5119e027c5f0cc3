"""What files tell beside their figures: counts, order, and rows about nobody."""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from attacks.cells import covers, figures_of, keys_of, records_of, step_of
from attacks.feeds import RawFeeds
from attacks.fits import Fits
from attacks.joining import ALPHA
from attacks.releases import PSEUDONYM, Release, aggregate_tables, row_sets, vehicle_tables

# A number that equals a count in one or two cells may do so by chance.
MIN_CELLS = 3
MIN_DENOMINATOR = 7
MAX_DENOMINATOR = 200


def counts(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Numbers of vehicles, clients or records, told by a figure, a ratio of two, or a share."""
    found = []
    for release, extract, table in aggregate_tables(releases):
        actual = _counted(table, feeds)
        guesses = {}
        for figure in figures_of(table):
            values = pd.to_numeric(table[figure], errors="coerce").to_numpy(float)
            guesses[figure] = values
            if figure.endswith("_pct"):
                guesses[f"the denominator of {figure}"] = _denominators(values, table[figure])
        for one, other in itertools.permutations(figures_of(table), 2):
            guesses[f"{one} / {other}"] = _quotients(table[one], table[other])
        for name, told in guesses.items():
            for what, numbers in actual.items():
                fitting = told == numbers
                if "denominator" in name:
                    fitting = (told >= MIN_DENOMINATOR) & (numbers % told == 0)
                if fitting.sum() >= max(MIN_CELLS, len(table) / 2):
                    found.append(f"{release.name}: {extract}: {name} counts {what}")
    return found


def repeated_rows(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Equal rows, which tell how many charges or vehicles stand behind them."""
    return [
        f"{release.name}: {extract} repeats {repeated} rows"
        for release in releases
        for extract, table in release.tables.items()
        if (repeated := int(table.duplicated().sum()))
    ]


def telling_order(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Rows that are not sorted by what they show, or that follow an order of the raw feeds."""
    found = []
    for release in releases:
        for extract, table in release.tables.items():
            keys = [PSEUDONYM, *table.columns.drop(PSEUDONYM)] if PSEUDONYM in table else None
            if not _is_sorted(table[keys or keys_of(table)]):
                found.append(f"{release.name}: {extract} is not sorted by what it shows")
    orders = _raw_orders(feeds)
    for release, extract, table in vehicle_tables(releases):
        fits = Fits(table, feeds.sessions)
        every = tuple(range(len(fits.columns)))
        sets = row_sets(table)
        fitting = [
            np.logical_and.reduce([fits.vehicles(row, every) for row in rows])
            for rows in sets.values()
        ]
        for what, order in orders.items():
            ranks = np.array([order.get(one, len(order)) for one in fits.ids])
            means = [ranks[some].mean() if some.any() else np.nan for some in fitting]
            if len(set(means)) == 1:
                continue
            test = spearmanr(range(len(means)), means, nan_policy="omit")
            if test.pvalue < ALPHA:
                found.append(f"{release.name}: {extract} names vehicles in the order of {what}")
    return found


def phantom_rows(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Rows without a value, cells for nobody, rows that nobody has, vehicles that don't exist."""
    found = []
    for release in releases:
        for extract, table in release.tables.items():
            if empty := int((table == "").all(axis=1).sum()):
                found.append(f"{release.name}: {extract} has {empty} rows without any value")
    for release, extract, table in aggregate_tables(releases):
        for _, row in table[(table != "").any(axis=1)].iterrows():
            for figure in figures_of(table):
                records = records_of(extract, figure, feeds)
                if row[figure] != "" and not covers(records, table, row).any():
                    cell = ", ".join(row[keys_of(table)])
                    found.append(f"{release.name}: {extract}.{figure} of {cell} is about nobody")
    for release, extract, table in vehicle_tables(releases):
        fits = Fits(table, feeds.sessions)
        every = tuple(range(len(fits.columns)))
        rows = set(table[fits.columns].itertuples(index=False, name=None))
        if nobody := sum(not fits.vehicles(row, every).any() for row in rows):
            found.append(f"{release.name}: {extract} has {nobody} rows that no vehicle has")
        if table[PSEUDONYM].nunique() > len(fits.ids):
            found.append(f"{release.name}: {extract} has more pseudonyms than there are vehicles")
    return found


def _counted(table: pd.DataFrame, feeds: RawFeeds) -> dict[str, np.ndarray]:
    """Per row of an aggregate: how many vehicles, clients and records it is about."""
    counted = {}
    for what, records in {"drives": feeds.drives, "charges": feeds.charged}.items():
        if not set(keys_of(table)) <= set(records):
            continue
        inside = [records[covers(records, table, row)] for _, row in table.iterrows()]
        counted[what] = np.array([len(some) for some in inside])
        for unit in ("vehicle_id", "client_id"):
            numbers = np.array([some[unit].nunique() for some in inside])
            counted[f"{unit.removesuffix('_id')}s with {what}"] = numbers
    return counted


def _quotients(above: pd.Series, below: pd.Series) -> np.ndarray:
    """The only whole number that two rounded values can have as their quotient, else NaN."""
    tops, bottoms = (
        pd.to_numeric(texts, errors="coerce").to_numpy(float) for texts in (above, below)
    )
    top_half, bottom_half = step_of(above) / 2, step_of(below) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = (tops - top_half) / (bottoms + bottom_half)
        high = (tops + top_half) / (bottoms - bottom_half)
    is_single = (np.floor(high) == np.ceil(low)) & (bottoms > bottom_half)
    return np.where(is_single, np.floor(high), np.nan)


def _denominators(values: np.ndarray, texts: pd.Series) -> np.ndarray:
    """The smallest denominator of a fraction that is rounded to each percentage."""
    below = np.arange(1, MAX_DENOMINATOR + 1)
    shares, tolerance = values[:, None] / 100, step_of(texts) / 200 + 1e-9
    fits = np.abs(np.round(shares * below) / below - shares) <= tolerance
    return np.where(fits.any(axis=1), below[fits.argmax(axis=1)], np.nan)


def _raw_orders(feeds: RawFeeds) -> dict[str, dict[str, int]]:
    """Orders that a careless export would keep: vehicle to place."""
    vehicles = feeds.vehicles
    orders = {
        "the vehicles feed": vehicles["vehicle_id"],
        "ids": vehicles["vehicle_id"].sort_values(),
        "clients": vehicles.sort_values(["client_id", "vehicle_id"])["vehicle_id"],
        "registration": vehicles.sort_values("first_registered_on")["vehicle_id"],
        "the charges feed": feeds.charges.sort_values("position")["vehicle_id"],
        "first charges": feeds.sessions.sort_values("started_at")["vehicle_id"],
        "last charges": feeds.sessions.sort_values("started_at", ascending=False)["vehicle_id"],
    }
    return {
        what: {one: place for place, one in enumerate(ids.drop_duplicates())}
        for what, ids in orders.items()
    }


def _is_sorted(table: pd.DataFrame) -> bool:
    """Whether rows are in order of their columns; texts alphabetically, numbers by size."""
    numeric = {
        column: pd.to_numeric(texts, errors="coerce")
        for column, texts in table.items()
        if pd.to_numeric(texts, errors="coerce").notna().all()
    }
    table = table.assign(**numeric)
    return table.sort_values(table.columns.tolist(), kind="stable").index.equals(table.index)
