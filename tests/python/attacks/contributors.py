"""Single figures that say something about one vehicle, one client or one record."""

from itertools import product

import numpy as np

from attacks import MIN_VEHICLES, P_PERCENT
from attacks.cells import (
    SHARES,
    by_vehicle,
    covers,
    figures_of,
    keys_of,
    measure_of,
    numbers,
    records_of,
    step_of,
    sums_of,
    weakness,
)
from attacks.feeds import RawFeeds
from attacks.releases import Release, aggregate_tables


def small_cells(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Figures about fewer vehicles or clients than was promised."""
    found = []
    for release, extract, table in aggregate_tables(releases):
        for figure in figures_of(table):
            records = records_of(extract, figure, feeds)
            for _, row in table[table[figure] != ""].iterrows():
                if why := weakness(records[covers(records, table, row)]):
                    cell = ", ".join(row[keys_of(table)])
                    found.append(f"{release.name}: {extract}.{figure} of {cell} is about {why}")
    return found


def dominated_sums(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Sums from which a contributor can estimate another, or that are nearly all one's own."""
    found = []
    for release, extract, table in aggregate_tables(releases):
        for measure in sums_of(table):
            records = records_of(extract, measure, feeds)
            if measure not in records:
                continue
            for _, row in table[table[measure] != ""].iterrows():
                if why := weakness(records[covers(records, table, row)], measure):
                    cell = ", ".join(row[keys_of(table)])
                    found.append(f"{release.name}: {extract}.{measure} of {cell} has {why}")
    return found


def exposed_extremes(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Figures that are the largest or smallest of their cell and that few vehicles come near."""
    found = []
    for release, extract, table in aggregate_tables(releases):
        for figure in figures_of(table):
            records = records_of(extract, figure, feeds)
            measure = measure_of(figure)
            if measure not in records:
                continue
            step = step_of(table[figure])
            for place, value in numbers(table[figure]).items():
                row = table.loc[place]
                inside = records[covers(records, table, row)].dropna(subset=[measure])
                if measure == "energy_kwh" and "max" not in figure and "min" not in figure:
                    # An energy that is no session's is one of vehicles in a month.
                    inside = by_vehicle(inside, measure).reset_index()
                values = inside[measure].to_numpy(float)
                values = values[np.isfinite(values)]
                if not len(values):
                    continue
                near = (inside[measure] - value).abs() <= step / 2
                is_extreme = min(abs(values.max() - value), abs(values.min() - value)) <= step / 2
                if is_extreme and 0 < inside[near]["vehicle_id"].nunique() < MIN_VEHICLES:
                    cell = ", ".join(row[keys_of(table)])
                    found.append(f"{release.name}: {extract}.{figure} of {cell} is an extreme")
    return found


def dominated_shares(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Shares of drives that would have been told otherwise without one vehicle's drives.

    A share is a sum, too: of what each vehicle has of it. Who made hardly any of the others'
    part knows that of the vehicle. The lowest share that is told may be nothing at all.
    """
    found = []
    for release, extract, table in aggregate_tables(releases):
        for word, figure in product(SHARES, figures_of(table)):
            if word not in figure:
                continue
            step = step_of(table[figure])
            for place, share in numbers(table[figure]).items():
                inside = feeds.drives[covers(feeds.drives, table, table.loc[place])]
                parts = inside.groupby("vehicle_id")[SHARES[word]].mean()
                first, second = parts.nlargest(2)
                others = 100 * (parts.sum() - first) / len(parts)
                is_weak = parts.sum() - first - second < P_PERCENT * first
                if is_weak and others < share - step / 2 and share > step:
                    cell = ", ".join(table.loc[place, keys_of(table)])
                    found.append(f"{release.name}: {extract}.{figure} of {cell} is one vehicle's")
    return found
