"""Whether the arms got the numbers of users that the design meant them to get (F1)."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def sample_ratio(counts: Sequence[int], shares: Sequence[float] | None = None) -> float:
    """Return the p-value of the chi-square test of assigned users per arm.

    Args:
        counts: users per arm.
        shares: planned share per arm, in any scale; None = equal.

    Returns:
        p, small where the assignment is broken; nan with fewer than 2 arms or without users.

    Raises:
        ValueError: `shares` has not one positive value per arm.

    Source: Fabijan et al. 2019.
    """
    observed = np.asarray(counts, dtype=float)
    planned = np.ones(len(observed)) if shares is None else np.asarray(shares, dtype=float)
    if planned.shape != observed.shape or not (planned > 0).all():
        raise ValueError("the sample ratio needs one positive share per arm")
    if len(observed) < 2 or not observed.sum():
        return math.nan
    expected = observed.sum() * planned / planned.sum()
    return float(stats.chisquare(observed, expected).pvalue)
