"""Whether the effect differs between segments of users (F13)."""

import math
from collections.abc import Sequence

import numpy as np
from statsmodels.stats.meta_analysis import combine_effects


def cochran_q(
    differences: Sequence[float], standard_errors: Sequence[float]
) -> tuple[float, int, float]:
    """Return Cochran's Q of the segments' effects, its degrees of freedom and its p-value.

    Segments without a difference or a positive standard error don't count; with fewer than 2 of
    the others, Q and p are nan.
    """
    effects = np.asarray(differences, dtype=float)
    errors = np.asarray(standard_errors, dtype=float)
    counts = np.isfinite(effects) & np.isfinite(errors) & (errors > 0)
    segments = int(counts.sum())
    if segments < 2:
        return math.nan, max(segments - 1, 0), math.nan
    # The pooled random effects, which come with it, aren't needed and may be roots of negatives.
    with np.errstate(invalid="ignore"):
        test = combine_effects(
            effects[counts], errors[counts] ** 2, method_re="chi2"
        ).test_homogeneity()
    return float(test.statistic), segments - 1, float(test.pvalue)
