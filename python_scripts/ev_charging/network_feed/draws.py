"""Random numbers drawn one after the other, from a stream that belongs to one key."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Generic, TypeVar

import numpy as np

from ev_charging.stateless_random import uniform

T = TypeVar("T")
_BLOCK = 4096
_NORMAL = NormalDist()


class Draws:
    """A stream of random numbers for a seed, a channel and a key, whoever else draws."""

    def __init__(self, seed: int, channel: str, key: int) -> None:
        """Start the stream."""
        self._numbers = _endless(seed, channel, key)

    def uniform(self) -> float:
        """Return a number strictly between 0 and 1."""
        return next(self._numbers)

    def chance(self, probability: float) -> bool:
        """Return whether something of this probability happens."""
        return next(self._numbers) < probability

    def between(self, lowest: int, highest: int) -> int:
        """Return a whole number, both bounds included."""
        return lowest + int(next(self._numbers) * (highest - lowest + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of equally likely choices."""
        return choices[int(next(self._numbers) * len(choices))]

    def weighted(self, choices: "Choices[T]") -> T:
        """Return one of choices that are not equally likely."""
        return choices.at(next(self._numbers))

    def normal(self) -> float:
        """Return a standard normal number."""
        return _NORMAL.inv_cdf(next(self._numbers))


class Choices(Generic[T]):
    """Choices with their relative weights."""

    def __init__(self, weights: dict[T, float]) -> None:
        """Prepare the choice, in the order of the weights."""
        self._items = list(weights)
        self._upto = (np.cumsum(list(weights.values())) / sum(weights.values())).tolist()

    def at(self, share: float) -> T:
        """Return the choice at a share between 0 and 1 of all weights."""
        return self._items[min(bisect(self._upto, share), len(self._items) - 1)]


def _endless(seed: int, channel: str, key: int) -> Iterator[float]:
    first = 0
    while True:
        yield from uniform(seed, channel, key, np.arange(first, first + _BLOCK)).tolist()
        first += _BLOCK
