"""Sums that nobody published but anybody can compute, and what changed between releases."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations, islice, product

import numpy as np
import pandas as pd

from attacks import P_PERCENT
from attacks.cells import covers, figures_of, keys_of, records_of, sums_of, weakness
from attacks.feeds import RawFeeds
from attacks.releases import PSEUDONYM, Release, aggregate_tables, row_sets

MAX_HIDDEN = 8
MAX_TERMS = 5
MAX_UNIONS = 500


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


def differences_of_unions(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Sums of too few, told by cells of one extract that cover those of another but for these.

    An extract by place and one by battery class divide the same energy: some places together may
    hold some classes together and a few vehicles more. What they lack of the classes may be
    nothing, or too little to keep the few from being known to P_PERCENT.
    """
    found = {}
    for measure, extracts in _sums_by_extract(releases, feeds).items():
        records = records_of("", measure, feeds)
        unions = {}
        for extract, cells in extracts.items():
            unions |= {mask.tobytes(): (extract, mask) for mask in _disjoint_unions(cells)}
        names, masks = zip(*unions.values(), strict=True)
        atoms, of_record = np.unique(np.array(masks).T, axis=0, return_inverse=True)
        weights = records[measure].abs().fillna(0)
        sizes = np.bincount(of_record, weights, minlength=len(atoms))
        more = (atoms * sizes[:, None]).T @ ~atoms
        lacking = more.T
        for one, other in np.argwhere((more > 0) & (lacking <= P_PERCENT * more)):
            told = masks[one] & ~masks[other]
            if told.tobytes() not in found and (why := weakness(records[told], measure)):
                found[told.tobytes()] = (
                    f"{measure}: cells of {names[one]} less cells of {names[other]} tell a sum of "
                    f"{why} to {lacking[one, other] / more[one, other]:.0%}"
                )
    return sorted(set(found.values()))


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
    return {
        measure: {
            f"{extract} {cell}": mask
            for extract, cells in extracts.items()
            for cell, mask in cells.items()
        }
        for measure, extracts in _sums_by_extract(releases, feeds).items()
    }


def _sums_by_extract(
    releases: list[Release], feeds: RawFeeds
) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """By measure, extract and cell: the records that a published sum is about."""
    published = defaultdict(lambda: defaultdict(dict))
    for _, extract, table in aggregate_tables(releases):
        for measure in sums_of(table):
            records = records_of("", measure, feeds)
            for _, row in table[table[measure] != ""].iterrows():
                cell = ", ".join(row[keys_of(table)])
                published[measure][extract][cell] = covers(records, table, row)
    return published


def _disjoint_unions(cells: dict[str, np.ndarray]) -> Iterator[np.ndarray]:
    """Records of all cells, and of all sets of cells that may be added; few cells first."""
    sizes = range(1, len(cells) + 1)
    sets = (some for size in sizes for some in combinations(cells.values(), size))
    counted = (np.sum(some, axis=0, dtype=np.int16) for some in islice(sets, MAX_UNIONS))
    return (count == 1 for count in counted if count.max() == 1)


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
