"""Joining what was released apart: partners, epochs and periods."""

from collections import Counter
from itertools import combinations

import numpy as np

from attacks import MIN_VEHICLES
from attacks.dictionary import crack
from attacks.feeds import RawFeeds
from attacks.releases import PSEUDONYM, Release, row_sets, vehicle_tables

MIN_PREFIX = 8
# Chance alone must not raise an alarm, whatever the key was.
ALPHA = 1e-6


def joined_pseudonyms(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Pseudonyms of one partner or epoch that are, or can be computed from, those of another."""
    found = []
    names = {(release.partner, release.epoch): set() for release, *_ in vehicle_tables(releases)}
    for release, _, table in vehicle_tables(releases):
        names[release.partner, release.epoch] |= set(table[PSEUDONYM])
    for (one, here), (other, there) in combinations(names.items(), 2):
        for how, form in {"": str, " of one beginning": _beginning, " of one end": _end}.items():
            if shared := {form(text) for text in here} & {form(text) for text in there}:
                found.append(f"{one} and {other} share {len(shared)} pseudonyms{how}")
                break
    for one, here in names.items():
        others = set().union(*(texts for other, texts in names.items() if other != one)) - here
        words = sorted({word for name in names for word in name})
        if cracked := crack(others, sorted(here), sorted(here)[:1], words):
            found.append(f"pseudonyms are {cracked[1]} of those of {one}")
    return found


def joined_by_place(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Two releases in which the n-th vehicle is the same one more often than by chance."""
    found = []
    for (one, _, mine), (other, _, theirs) in combinations(vehicle_tables(releases), 2):
        shared = [column for column in mine if column in theirs.columns and column != PSEUDONYM]
        if one.period != other.period or (one.partner, one.epoch) == (other.partner, other.epoch):
            continue
        columns = [PSEUDONYM, *shared]
        here = list(row_sets(mine[columns]).values())
        there = list(row_sets(theirs[columns]).values())
        length = min(len(here), len(there))
        hits = sum(a == b for a, b in zip(here, there, strict=False))
        chance = _chance_of_agreement(here[:length], there[:length])
        if length and _binomial_tail(hits, length, chance) < ALPHA:
            found.append(f"{one.name} and {other.name} name vehicles in the same order")
    return found


def joined_periods(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Vehicles whose rows of several periods, taken together, are those of too few."""
    found = []
    known: dict[tuple, dict[str, dict]] = {}
    for release, extract, table in vehicle_tables(releases):
        whose = known.setdefault((release.partner, release.epoch, extract), {})
        for pseudonym, rows in row_sets(table).items():
            whose.setdefault(pseudonym, {})[release.period] = rows
    for (partner, epoch, extract), whose in known.items():
        sets = Counter(frozenset(periods.items()) for periods in whose.values())
        alone = sum(size for rows, size in sets.items() if len(rows) > 1 and size < MIN_VEHICLES)
        if alone:
            found.append(
                f"{partner} (epoch {epoch}): {extract} follows {alone} vehicles through periods "
                f"in groups of fewer than {MIN_VEHICLES}"
            )
    return found


def _beginning(text: str) -> str:
    return text[:MIN_PREFIX].lower()


def _end(text: str) -> str:
    return text[-MIN_PREFIX:].lower()


def _chance_of_agreement(here: list, there: list) -> float:
    """Share of equal pairs if the orders have nothing to do with each other."""
    mine, theirs = Counter(here), Counter(there)
    return sum(mine[rows] * theirs[rows] for rows in mine) / max(len(here) * len(there), 1)


def _binomial_tail(hits: int, trials: int, chance: float) -> float:
    """Upper bound of the probability of at least so many hits (Chernoff)."""
    share = hits / max(trials, 1)
    if share <= chance:
        return 1.0
    if chance == 0:
        return 0.0
    terms = [share * np.log(share / chance)]
    if share < 1:
        terms.append((1 - share) * np.log((1 - share) / (1 - chance)))
    return float(np.exp(-trials * sum(terms)))
