"""Figures of a merged class that are those of one class in it, which was merged to be hidden."""

import re
from collections.abc import Iterator
from itertools import product

import pandas as pd

from attacks import DOMINANCE_SHARE
from attacks.cells import (
    REST,
    SHARES,
    by_vehicle,
    covers,
    figures_of,
    keys_of,
    measure_of,
    records_of,
    step_of,
    weakness,
)
from attacks.feeds import RawFeeds
from attacks.releases import Release, aggregate_tables

# Quantiles that rest on a part of the vehicles. A median rests on as many as were promised.
QUANTILE = re.compile(r"_p(?!50)\d\d|(min|max)_")


def quantiles_of_members(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Quantiles of a merged class next to a quartile of one hidden member and of no other.

    Next to it means within the step that the figures of the measure are rounded to.
    """
    found = []
    for release, extract, table, row, key, figure in _merged(releases):
        measure, records = measure_of(figure), records_of(extract, figure, feeds)
        if measure not in records or not QUANTILE.search(figure):
            continue
        alike = [column for column in figures_of(table) if measure_of(column) == measure]
        step = min(step_of(table[column]) for column in alike)
        inside = _inside(records, table, row, key)
        quartiles = {
            member: by_vehicle(some, measure).quantile([0.25, 0.5, 0.75])
            for member, some in inside.groupby(key)
        }
        near = [
            member
            for member, values in quartiles.items()
            if (values - float(row[figure])).abs().min() <= step
        ]
        if len(near) == 1 and near[0] in _hidden(inside, key) and len(quartiles) > 1:
            told = f"{extract}.{figure} of {row[key]}"
            found.append(f"{release.name}: {told} is that of {near[0]}")
    return found


def shares_of_members(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Shares of a merged class that are, or whose rest is, nearly all that of one hidden member."""
    found = []
    for release, extract, table, row, key, figure in _merged(releases):
        column = next((column for word, column in SHARES.items() if word in figure), None)
        if column is None:
            continue
        inside = _inside(feeds.drives, table, row, key).dropna(subset=[column])
        members = inside.groupby("vehicle_id")[key].first()
        shares = by_vehicle(inside, column)
        for what, parts in (("", shares), ("the rest of ", 1 - shares)):
            held = parts.groupby(members).sum() / parts.sum()
            for member in sorted(_hidden(inside, key)):
                if held[member] > DOMINANCE_SHARE:
                    told = f"{what}{extract}.{figure} of {row[key]}"
                    found.append(f"{release.name}: {held[member]:.0%} of {told} is {member}")
    return found


def _merged(
    releases: list[Release],
) -> Iterator[tuple[Release, str, pd.DataFrame, pd.Series, str, str]]:
    """Release, extract, table, row, key and figure of all figures that merged classes have."""
    for release, extract, table in aggregate_tables(releases):
        for key, figure in product(keys_of(table), figures_of(table)):
            is_merged = table[key].str.lower().isin(REST) & (table[figure] != "")
            for _, row in table[is_merged].iterrows():
                yield release, extract, table, row, key, figure


def _inside(records: pd.DataFrame, table: pd.DataFrame, row: pd.Series, key: str) -> pd.DataFrame:
    """Records of a row, each of a class."""
    inside = records[covers(records, table, row)]
    return inside.assign(**{key: inside[key].fillna("unknown")})


def _hidden(records: pd.DataFrame, key: str) -> set[str]:
    """Classes that could not be shown by themselves."""
    return {member for member, some in records.groupby(key) if weakness(some)}
