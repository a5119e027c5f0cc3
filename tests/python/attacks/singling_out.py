"""Finding the one vehicle that a pseudonym can belong to."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd

from attacks import MIN_CLIENTS, MIN_VEHICLES
from attacks.classes import CLASSES, chosen_classes
from attacks.feeds import RawFeeds
from attacks.fits import Fits
from attacks.releases import PSEUDONYM, Release, row_sets, vehicle_tables


def unique_combinations(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Pseudonyms whose rows, or any of their columns, fit the raw charges of too few vehicles."""
    found = []
    for release, extract, table in vehicle_tables(releases):
        fits = Fits(table, feeds.sessions)
        sets = row_sets(table)
        sharing = Counter(sets.values())
        columns = list(range(len(fits.columns)))
        subsets = [some for size in columns for some in combinations(columns, size + 1)]
        alone: dict[tuple, int] = {}
        for rows, pseudonyms in sharing.items():
            for some in subsets:
                vehicles = np.logical_and.reduce([fits.vehicles(row, some) for row in rows])
                if _are_few(fits, vehicles, pseudonyms):
                    alone[some] = alone.get(some, 0) + pseudonyms
                    # What fewer columns tell, more of them tell too.
                    break
        for some, pseudonyms in sorted(alone.items()):
            names = ", ".join(fits.columns[place] for place in some)
            found.append(f"{release.name}: {extract} singles out {pseudonyms} vehicles by {names}")
    return found


def rare_row_sets(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Sets of rows under one pseudonym that fewer vehicles share than was promised."""
    found = []
    for release, extract, table in vehicle_tables(releases):
        sharing = Counter(row_sets(table).values())
        rare = sum(size for size in sharing.values() if size < MIN_VEHICLES)
        if rare:
            found.append(
                f"{release.name}: {extract} has {rare} vehicles whose rows are shared by fewer "
                f"than {MIN_VEHICLES}"
            )
    return found


def replayed_choices(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Sets of rows that, by the published way of choosing them, too few vehicles got.

    Classes of charges are taken in the order of how many vehicles have them, and a vehicle is
    released with the longest beginning of its list that anybody is released with.
    """
    found = []
    for release, extract, table in vehicle_tables(releases):
        sharing = Counter(row_sets(table).values())
        fits = Fits(table, feeds.sessions)
        for rows, got in replayed_groups(release, table, feeds).items():
            vehicles = np.isin(fits.ids, got)
            if _are_few(fits, vehicles, sharing[rows]):
                found.append(
                    f"{release.name}: {extract} has {sharing[rows]} vehicles that only "
                    f"{vehicles.sum()} vehicles of {fits.clients_of(vehicles)} clients can be"
                )
    return found


def replayed_groups(
    release: Release, table: pd.DataFrame, feeds: RawFeeds
) -> dict[frozenset, list[str]]:
    """The vehicles that each released set of rows must have gone to."""
    constant = {column: release.period for column in table if column == "month"}
    columns = [column for column in table.columns if column != PSEUDONYM]
    released = set(row_sets(table).values())
    sessions = feeds.sessions[feeds.sessions["month"] == release.period]
    groups: dict[frozenset, list[str]] = {rows: [] for rows in released}
    for vehicle, classes in chosen_classes(sessions).items():
        named = (constant | dict(zip(CLASSES, one, strict=True)) for one in classes)
        rows = [tuple(one.get(column, "") for column in columns) for one in named]
        beginnings = (frozenset(rows[:length]) for length in range(len(rows), 0, -1))
        if longest := next((some for some in beginnings if some in released), None):
            groups[longest].append(vehicle)
    return groups


def _are_few(fits: Fits, vehicles: np.ndarray, pseudonyms: int) -> bool:
    """Whether the vehicles that fit are too few, and enough to be those that were released."""
    size = vehicles.sum()
    is_small = size < MIN_VEHICLES or fits.clients_of(vehicles) < MIN_CLIENTS
    return is_small and size >= pseudonyms
