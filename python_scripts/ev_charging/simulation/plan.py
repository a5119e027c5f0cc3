"""Plans: when a car may charge, as spans of time."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Plan:
    """Spans of time per stay, in order and without overlap; shape (stays, spans) each.

    A span that isn't there begins and ends at infinity.

    Attributes:
        starts: instants, seconds.
        ends: instants, seconds.
    """

    starts: np.ndarray
    ends: np.ndarray

    def used(self, until_s: np.ndarray, seconds: np.ndarray) -> "Plan":
        """Return the part of the spans before an instant that a charge of some seconds takes.

        Args:
            until_s: instant per stay after which nothing happens.
            seconds: time of charging per stay until the car is full.
        """
        ends = np.minimum(self.ends, until_s[:, None])
        lengths = np.where(ends > self.starts, ends - self.starts, 0.0)
        before = np.cumsum(lengths, axis=1) - lengths
        lengths = np.clip(seconds[:, None] - before, 0.0, lengths)
        is_used = lengths > 0
        starts = np.where(is_used, self.starts, np.inf)
        return Plan(starts, np.where(is_used, starts + lengths, np.inf))

    def of(self, stay: np.ndarray) -> "Plan":
        """Return the plans of some of the stays."""
        return Plan(self.starts[stay], self.ends[stay])

    def lengths(self) -> np.ndarray:
        """Return the seconds of each span, 0 for one that isn't there."""
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(self.starts), self.ends - self.starts, 0.0)


def joined(starts: np.ndarray, ends: np.ndarray) -> Plan:
    """Return the plan of slots in order of time, neighbours that touch as one span.

    Args:
        starts: shape (stays, slots).
        ends: of the same shape; a slot that ends where it starts isn't used.
    """
    is_used = ends > starts
    touches = np.zeros_like(is_used)
    touches[:, 1:] = is_used[:, :-1] & (starts[:, 1:] == ends[:, :-1])
    is_first = is_used & ~touches
    number = np.cumsum(is_first, axis=1) - 1
    spans = max(int(number.max(initial=-1)) + 1, 1)
    rows, slots = np.nonzero(is_used)
    span = number[rows, slots]
    joined_starts = np.full((len(starts), spans), np.inf)
    joined_ends = np.full((len(starts), spans), np.inf)
    firsts = is_first[rows, slots]
    joined_starts[rows[firsts], span[firsts]] = starts[rows[firsts], slots[firsts]]
    # slots come in order: the last one of a span is written last
    joined_ends[rows, span] = ends[rows, slots]
    return Plan(joined_starts, joined_ends)
