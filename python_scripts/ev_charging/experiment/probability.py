"""What the effect says to a decision maker: how likely better, and how costly if not (F14)."""

import math

from scipy import stats

from ev_charging.experiment.noninferiority import Better, check_better


def probability_to_beat(difference: float, standard_error: float, better: Better) -> float:
    """Return the probability, with a flat prior, that the treatment is better: Phi(D / SE).

    nan without a standard error. Raises ValueError if `better` is not 'higher' or 'lower'.
    """
    k = _gain(difference, standard_error, better)
    return float(stats.norm.cdf(k))


def expected_loss(difference: float, standard_error: float, better: Better) -> float:
    """Return what shipping the treatment loses on average, SE (phi(k) - k sf(k)), k = D / SE.

    Counted where the treatment is worse, in the unit of the metric, never negative; nan and
    errors as above.
    """
    k = _gain(difference, standard_error, better)
    return float(standard_error * max(stats.norm.pdf(k) - k * stats.norm.sf(k), 0.0))


def _gain(difference: float, standard_error: float, better: Better) -> float:
    check_better(better)
    if not standard_error > 0:
        return math.nan
    return difference / standard_error * (1 if better == "higher" else -1)
