"""The Theil-Sen line: a trend that a few wild values don't move."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ev_charging.experiment.effect import check_alpha

OK = "ok"
TOO_FEW = "too_few"
ONE_X = "one_x"
TIED = "tied"

# Kendall's statistic, which the interval rests on, is close to normal from ten points on (Kendall
# 1975, Rank Correlation Methods).
_MIN_POINTS = 10


@dataclass(frozen=True)
class Trend:
    """The line through points of x and y; its numbers are nan where the status isn't 'ok'.

    Attributes:
        slope: median of the slopes between all pairs of points, in y per x.
        ci_low, ci_high: ends of the interval of the slope.
        intercept: median of y - slope x.
        status: 'ok', 'too_few' points for an interval, 'one_x' that all points share, or 'tied':
            so many points share x or y that Kendall's statistic has no variance left.
    """

    slope: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    intercept: float = math.nan
    status: str = OK


def theil_sen(x: np.ndarray, y: np.ndarray, alpha: float = 0.05) -> Trend:
    """Return the Theil-Sen line with the distribution-free interval of its slope (Sen 1968).

    Up to 29 % of the points may be anywhere without carrying the slope away. The interval needs
    independent points whose scatter around the line doesn't depend on x; it needs no normal
    distribution. Time and memory grow with the square of the points.

    Args:
        x, y: finite, shape (points,).
        alpha: 1 - confidence, between 0 and 1.

    Raises:
        ValueError: `alpha` is not between 0 and 1, or x and y differ in length.
    """
    check_alpha(alpha)
    if len(x) != len(y):
        raise ValueError("a trend needs an x for every y")
    if len(x) < _MIN_POINTS:
        return Trend(status=TOO_FEW)
    if np.ptp(x) == 0:
        return Trend(status=ONE_X)
    with np.errstate(invalid="ignore"):
        line = stats.theilslopes(y, x, alpha=1 - alpha, method="joint")
    if math.isnan(line.low_slope):
        return Trend(status=TIED)
    return Trend(
        slope=float(line.slope),
        ci_low=float(line.low_slope),
        ci_high=float(line.high_slope),
        intercept=float(line.intercept),
    )
