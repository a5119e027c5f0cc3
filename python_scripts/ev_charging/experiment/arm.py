"""The users of one arm of an experiment."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

# Residuals below this share of the values they come from are what rounding left.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Arm:
    """Totals of a metric per user: one entry per assigned user, users without sessions too.

    Attributes:
        numerator: float64, shape (users,); S, in the unit of the metric's numerator.
        denominator: float64, shape (users,); N, never negative.
        pre_numerator: S of a period before the assignment; None = not delivered, NaN = 0.
        pre_denominator: N of that period, likewise.

    Raises:
        ValueError: the arrays differ in length, aren't one-dimensional, or hold values that are
            not finite or, in the denominator, negative.
    """

    numerator: np.ndarray
    denominator: np.ndarray
    pre_numerator: np.ndarray | None = None
    pre_denominator: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Turn the arrays into float64 and check them."""
        for name in ("numerator", "denominator", "pre_numerator", "pre_denominator"):
            values = getattr(self, name)
            if values is None and name.startswith("pre_"):
                continue
            values = np.asarray(values, dtype=np.float64)
            if values.ndim != 1 or len(values) != len(self.numerator):
                raise ValueError(f"the {name} of an arm needs one value per user")
            if name.startswith("pre_"):
                values = np.where(np.isnan(values), 0.0, values)
            if not np.isfinite(values).all():
                raise ValueError(f"the {name} of an arm has values that are not finite")
            object.__setattr__(self, name, values)
        if (self.denominator < 0).any():
            raise ValueError("the denominator of an arm has negative values")

    @property
    def users(self) -> int:
        """Number of assigned users."""
        return len(self.numerator)

    @cached_property
    def ratio(self) -> float:
        """R = sum(S) / sum(N); nan if sum(N) is 0."""
        total = float(self.denominator.sum())
        return float(self.numerator.sum()) / total if total else math.nan

    @cached_property
    def linearised(self) -> np.ndarray:
        """(S_i - R N_i) / mean(N), shape (users,): their mean is 0, its variance that of R.

        nan if sum(N) is 0. Source: Deng, Knoblich, Lu 2018, section 2.2.
        """
        if math.isnan(self.ratio):
            return np.full(self.users, math.nan)
        residuals = self.numerator - self.ratio * self.denominator
        return without_rounding(residuals, self.numerator) / self.denominator.mean()

    @cached_property
    def ratio_variance(self) -> float:
        """Variance of R, n/(n-1) x sum (S_i - R N_i)^2 / (sum N)^2 (F2).

        nan with fewer than 2 users that have a denominator.
        """
        if np.count_nonzero(self.denominator) < 2:
            return math.nan
        return variance_of_mean(self.linearised)

    def pre_period(self) -> "Arm | None":
        """Return the same users with their totals before the assignment; None = not delivered."""
        if self.pre_numerator is None or self.pre_denominator is None:
            return None
        return Arm(self.pre_numerator, self.pre_denominator)


def without_rounding(residuals: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the residuals of values; zeros if they are as small as rounding."""
    size, whole = (math.sqrt(inner_product(array, array)) for array in (residuals, values))
    is_rounding = size <= _ROUNDING * whole
    return np.zeros_like(residuals) if is_rounding else residuals


def variance_of_mean(centred: np.ndarray) -> float:
    """Return the variance of the mean of values whose mean is 0; nan below 2 values."""
    count = len(centred)
    return inner_product(centred, centred) / (count * (count - 1)) if count > 1 else math.nan


def inner_product(first: np.ndarray, second: np.ndarray) -> float:
    """Return the sum of the products of two arrays of one dimension.

    Not through BLAS, whose rounding depends on the number of its threads.
    """
    return float(np.einsum("i,i->", first, second))
