"""Sums that nobody published but anybody can compute, and what changed between releases."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
import pandas as pd

from attacks.cells import covers, figures_of, keys_of, records_of, sums_of, weakness
from attacks.feeds import RawFeeds
from attacks.releases import PSEUDONYM, Release, aggregate_tables, row_sets

MAX_HIDDEN = 8
MAX_TERMS = 5


def differences_of_sums(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Sums of too few, or of one who dominates, told by published sums of the same measure.

    All cells of all extracts and partners are equations: what a few of them give when they are
    added and subtracted is known, and so are hidden cells that are any combination of them.
    """
    found = set()
    for measure, cells in _published_sums(releases, feeds).items():
        records = records_of("", measure, feeds)
        equations = _Equations(list(cells.values()))
        for terms, known in equations.sums_and_differences():
            if why := weakness(records[known], measure):
                names = ", ".join(list(cells)[term] for term in terms)
                found.add(f"{measure}: {names} together tell a sum of {why}")
        for name, hidden in _hidden_cells(releases, measure, feeds):
            if equations.tell(hidden) and (why := weakness(records[hidden], measure)):
                found.add(f"{measure} of {name} follows from sums of others ({why})")
    return sorted(found)


def changed_figures(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Figures or rows about the same period that two releases tell differently."""
    found = []
    for one, other in combinations(releases, 2):
        if one.period != other.period:
            continue
        for extract in one.tables.keys() & other.tables.keys():
            mine, theirs = one.tables[extract], other.tables[extract]
            shared = [column for column in mine if column in theirs.columns]
            changes = (
                _changed_vehicles(one, other, mine[shared], theirs[shared])
                if PSEUDONYM in shared
                else _changed_cells(mine[shared], theirs[shared])
            )
            if changes:
                found.append(f"{one.name} and {other.name}: {extract} differs in {changes} places")
    return found


def _published_sums(releases: list[Release], feeds: RawFeeds) -> dict[str, dict[str, np.ndarray]]:
    """By measure and cell: the records that a published sum is about."""
    published = defaultdict(dict)
    for _, extract, table in aggregate_tables(releases):
        for measure in sums_of(table):
            records = records_of("", measure, feeds)
            for _, row in table[table[measure] != ""].iterrows():
                name = f"{extract} " + ", ".join(row[keys_of(table)])
                published[measure][name] = covers(records, table, row)
    return published


def _hidden_cells(
    releases: list[Release], measure: str, feeds: RawFeeds
) -> list[tuple[str, np.ndarray]]:
    """Cells that an extract doesn't have a row of their own for, and all unions of such cells."""
    records = records_of("", measure, feeds)
    hidden = []
    for _, extract, table in aggregate_tables(releases):
        if measure not in sums_of(table):
            continue
        shown = {covers(records, table, row).tobytes() for _, row in table.iterrows()}
        masks = {
            ", ".join(map(str, cell)): np.isin(np.arange(len(records)), places)
            for cell, places in records.groupby(keys_of(table)).indices.items()
        }
        left = [(name, mask) for name, mask in masks.items() if mask.tobytes() not in shown]
        for size in range(min(len(left), MAX_HIDDEN)):
            for some in combinations(left, size + 1):
                names = " + ".join(name for name, _ in some)
                hidden.append((f"{extract} {names}", np.any([mask for _, mask in some], axis=0)))
    return hidden


class _Equations:
    """Cells over atoms: the records that no published cell tells apart are one unknown."""

    def __init__(self, cells: list[np.ndarray]) -> None:
        signatures = np.array(cells, dtype=np.int8).T
        self.atoms, self.of_record = np.unique(signatures, axis=0, return_inverse=True)
        self.sizes = np.bincount(self.of_record, minlength=len(self.atoms))
        self.rank = np.linalg.matrix_rank(self.atoms)

    def sums_and_differences(self) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """Records whose sum is a few cells added and subtracted, each set of records once."""
        told = set()
        cells = range(self.atoms.shape[1])
        for size in range(1, MAX_TERMS + 1):
            for terms in combinations(cells, size):
                for signs in product((1, -1), repeat=size):
                    known = self.atoms[:, terms] @ np.array(signs)
                    if known.min() >= 0 and known.max() == 1 and known.tobytes() not in told:
                        told.add(known.tobytes())
                        yield terms, known[self.of_record] == 1

    def tell(self, records: np.ndarray) -> bool:
        """Whether the sum over some records is a combination of the cells."""
        inside = np.bincount(self.of_record[records], minlength=len(self.atoms))
        if ((inside > 0) & (inside < self.sizes)).any():
            return False
        target = np.column_stack([self.atoms, inside > 0])
        return np.linalg.matrix_rank(target) == self.rank


def _changed_cells(mine: pd.DataFrame, theirs: pd.DataFrame) -> int:
    keys, figures = keys_of(mine), figures_of(mine)
    both = mine.merge(theirs, on=keys, how="outer", suffixes=("", "_then"), indicator=True)
    changed = both["_merge"] != "both"
    for figure in figures:
        changed |= both[figure] != both[f"{figure}_then"]
    return int(changed.sum())


def _changed_vehicles(
    one: Release, other: Release, mine: pd.DataFrame, theirs: pd.DataFrame
) -> int:
    """Vehicles whose rows differ; under other pseudonyms, row sets held by more or fewer."""
    here, there = row_sets(mine), row_sets(theirs)
    if (one.partner, one.epoch) == (other.partner, other.epoch):
        return sum(here.get(name) != there.get(name) for name in here.keys() | there.keys())
    before, after = Counter(here.values()), Counter(there.values())
    return sum(before[rows] != after[rows] for rows in before.keys() | after.keys())
