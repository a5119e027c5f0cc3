"""The methods that take sessions as independent, which they are not when users repeat.

They stay beside the right ones so that a reader sees how much they claim too much.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from statsmodels.stats.proportion import proportions_ztest

from ev_charging.experiment.arm import inner_product
from ev_charging.experiment.bootstrap import chunk_sizes, percentile_effect, random_stream
from ev_charging.experiment.effect import NOT_A_SHARE, OK, Effect, Estimate, compare

# Below this share of the mean square, a variance is what rounding left.
_ROUNDING = 1e-13
_CELLS_PER_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class SessionValues:
    """The sessions of one arm in bins of their value.

    Attributes:
        value: float64, shape (bins,); mean value of the bin's sessions.
        sessions: int64, shape (bins,); number of sessions.
        square_sum: float64, shape (bins,); sum of the squared values.

    Raises:
        ValueError: the arrays differ in length, or hold values that are not finite or counts
            that are negative.
    """

    value: np.ndarray
    sessions: np.ndarray
    square_sum: np.ndarray

    def __post_init__(self) -> None:
        """Convert the arrays and check them."""
        for name in ("value", "sessions", "square_sum"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or len(values) != len(self.value):
                raise ValueError("a bin needs a value, a number of sessions and a sum of squares")
            if not np.isfinite(values).all():
                raise ValueError(f"the {name} of a bin is not finite")
            object.__setattr__(self, name, values)
        if (self.sessions < 0).any():
            raise ValueError("a bin has a negative number of sessions")
        object.__setattr__(self, "sessions", self.sessions.astype(np.int64))

    @property
    def count(self) -> int:
        """Number of sessions."""
        return int(self.sessions.sum())

    @property
    def mean(self) -> float:
        """Mean over the sessions; nan without any."""
        return inner_product(self.value, self.sessions) / self.count if self.count else math.nan

    @property
    def mean_variance(self) -> float:
        """Variance of that mean if sessions were independent; nan below 2 sessions."""
        if self.count < 2:
            return math.nan
        mean_square = float(self.square_sum.sum()) / self.count
        variance = mean_square - self.mean**2
        return max(variance, 0.0) / (self.count - 1) if variance > _ROUNDING * mean_square else 0.0

    @property
    def is_share(self) -> bool:
        """Whether each session is 0 or 1."""
        is_binary = bool(np.isin(self.value[self.sessions > 0], (0.0, 1.0)).all())
        return is_binary and bool(np.array_equal(self.square_sum, self.value * self.sessions))


def two_proportion_z(
    control: SessionValues, treatment: SessionValues, alpha: float = 0.05
) -> Effect:
    """Return the z-test of two shares of sessions, as the sketch does it.

    Standard error and p-value pool both arms; the intervals don't.
    """
    if not (control.is_share and treatment.is_share):
        return welch_t(control, treatment, alpha).without_interval(NOT_A_SHARE)
    effect = compare(_share(control), _share(treatment), alpha)
    if effect.status != OK:
        return effect
    counts = np.array([control.count, treatment.count])
    successes = np.array([control.mean, treatment.mean]) * counts
    pooled = successes.sum() / counts.sum()
    _, p_value = proportions_ztest(successes, counts)
    return replace(
        effect,
        standard_error=math.sqrt(pooled * (1 - pooled) * (1 / counts).sum()),
        p_value=float(p_value),
    )


def welch_t(control: SessionValues, treatment: SessionValues, alpha: float = 0.05) -> Effect:
    """Return Welch's t-test of two means over sessions, as the sketch does it."""
    estimates = (Estimate(arm.mean, arm.mean_variance, arm.count) for arm in (control, treatment))
    return compare(*estimates, alpha, "Welch")


def session_bootstrap(
    control: SessionValues,
    treatment: SessionValues,
    replicates: int,
    seed: int,
    stream: str,
    alpha: float = 0.05,
) -> Effect:
    """Return the percentile interval of a bootstrap that resamples sessions, not users.

    Arguments as of `bootstrap.user_bootstrap`; within a bin, sessions count as alike.
    """
    effect = welch_t(control, treatment, alpha)
    if effect.status != OK:
        return effect
    resampled = [
        _resampled_means(arm, replicates, random_stream(seed, stream, arm_index))
        for arm_index, arm in enumerate((control, treatment))
    ]
    return percentile_effect(effect, resampled[1] - resampled[0], alpha)


def _share(arm: SessionValues) -> Estimate:
    variance = arm.mean * (1 - arm.mean) / arm.count if arm.count else math.nan
    return Estimate(arm.mean, variance, arm.count)


def _resampled_means(
    arm: SessionValues, replicates: int, random: np.random.Generator
) -> np.ndarray:
    chunk = max(1, _CELLS_PER_CHUNK // len(arm.value))
    shares = arm.sessions / arm.count
    sums = [
        np.einsum("rb,b->r", random.multinomial(arm.count, shares, size=size), arm.value)
        for size in chunk_sizes(replicates, chunk)
    ]
    return np.concatenate(sums) / arm.count
