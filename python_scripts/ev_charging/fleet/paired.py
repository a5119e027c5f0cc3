"""The difference of a figure between two runs of the same drivers."""

import math

import numpy as np

from ev_charging.experiment.arm import Arm, variance_of_mean, without_rounding
from ev_charging.experiment.effect import (
    NO_DENOMINATOR,
    NO_VARIANCE,
    OK,
    TOO_FEW_USERS,
    Effect,
    check_alpha,
    critical_value,
    two_sided_p,
)


def paired_difference(reference: Arm, run: Arm, alpha: float = 0.05) -> Effect:
    """Return the difference of R = sum(S) / sum(N) between two runs, run - reference.

    A driver's part in it is (S_i - R N_i) / mean(N) of the one run less that of the other, so that
    what a driver does in both cancels out; its variance over the drivers is that of the difference
    (delta method; Deng, Knoblich, Lu 2018), and Student's t with users - 1 degrees of freedom
    gives interval and test. Where N is 1 in both runs this is the paired t test.

    Args:
        reference, run: the same drivers in the same order.
        alpha: 1 - confidence, between 0 and 1.

    Returns:
        An effect without a relative interval. Its status is 'too_few_users' where fewer than 2
        have a denominator, 'no_denominator' where a run has nothing to divide by, and
        'no_variance' where all drivers change alike: then there is no interval.

    Raises:
        ValueError: the runs differ in their users, or `alpha` is not between 0 and 1.
    """
    check_alpha(alpha)
    if reference.users != run.users:
        raise ValueError("paired runs need the same users")
    difference = run.ratio - reference.ratio
    known = Effect(
        control=reference.ratio,
        treatment=run.ratio,
        difference=difference,
        relative_difference=difference / abs(reference.ratio) if reference.ratio else math.nan,
    )
    if np.count_nonzero(reference.denominator + run.denominator) < 2:
        return known.without_interval(TOO_FEW_USERS)
    if math.isnan(difference):
        return known.without_interval(NO_DENOMINATOR)
    parts = without_rounding(
        run.linearised - reference.linearised,
        np.concatenate([arm.numerator / arm.denominator.mean() for arm in (reference, run)]),
    )
    standard_error = math.sqrt(variance_of_mean(parts))
    if standard_error == 0:
        return known.without_interval(NO_VARIANCE)
    degrees_of_freedom = run.users - 1
    half_width = critical_value(alpha, degrees_of_freedom) * standard_error
    return Effect(
        control=known.control,
        treatment=known.treatment,
        difference=difference,
        standard_error=standard_error,
        ci_low=difference - half_width,
        ci_high=difference + half_width,
        p_value=two_sided_p(difference / standard_error, degrees_of_freedom),
        relative_difference=known.relative_difference,
        degrees_of_freedom=degrees_of_freedom,
        status=OK,
    )
