"""Bad rows of the seeds: changed copies of good rows, which stay in the file themselves.

A later row is a newer delivery: an outdated row comes before the good one, every other after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

DUPLICATE = "exact_duplicate"
SUPERSEDED = "superseded"

Fields = dict[str, str]


@dataclass(frozen=True)
class BadRow:
    """One kind of damage, and the fields of a good row that the copy has another text in."""

    kind: str
    change: Callable[[Fields], Fields]


def bad_row(kind: str, **texts: str) -> BadRow:
    """Return a damage that puts fixed texts in the place of others."""
    return BadRow(kind, lambda _: texts)


def with_bad_rows(rows: pd.DataFrame, damage: Sequence[tuple[int, BadRow]]) -> pd.DataFrame:
    """Return the rows with a bad copy of some of them.

    Args:
        rows: columns of text, numbered from 0.
        damage: positions of good rows and what is wrong with their copies.
    """
    copies = []
    for position, bad in damage:
        good = rows.iloc[[position]]
        place = position - 0.5 if bad.kind == SUPERSEDED else position + 0.5
        change = bad.change(good.iloc[0].to_dict())
        copies.append(good.assign(**change).set_axis([place]))
    return pd.concat([rows, *copies]).sort_index().reset_index(drop=True)


def spread(damage: Sequence[BadRow], count: int) -> list[tuple[int, BadRow]]:
    """Return the damage at positions that lie evenly among `count` rows.

    Raises:
        ValueError: if there are fewer rows than kinds of damage.
    """
    if len(damage) > count:
        raise ValueError(f"{len(damage)} bad rows need as many good ones, got {count}")
    return [((2 * place + 1) * count // (2 * len(damage)), bad) for place, bad in enumerate(damage)]
