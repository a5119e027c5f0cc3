"""Regressions that must agree with the delta method: a cross-check, and a method for few users."""

import numpy as np
from statsmodels.regression.linear_model import WLS

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.effect import (
    OK,
    TOO_FEW_USERS,
    DegreesOfFreedom,
    Effect,
    Estimate,
    compare,
)
from ev_charging.experiment.ratio import delta_method

# With fewer users in an arm, HC3 takes the t distribution.
USERS_FOR_NORMAL = 100


def cluster_robust(control: Arm, treatment: Arm, sessions: float, alpha: float = 0.05) -> Effect:
    """Return OLS on sessions with errors clustered by user, CR1 and t(G - 1) (F5).

    User sums are all it needs: weighting user means by their denominator gives the coefficients
    of the sessions, and HC0 on them is CR0. G counts the users with a denominator.

    Args:
        control, treatment: totals per assigned user.
        sessions: number of sessions in both arms, the rows of that regression.
        alpha: 1 - confidence.

    Source: Liang, Zeger 1986; Deng, Lu, Qin 2021.
    """
    plain = delta_method(control, treatment, alpha)
    if plain.status != OK:
        return plain
    if sessions <= 2:
        return plain.without_interval(TOO_FEW_USERS)
    groups = _users_with_denominator(control, treatment)
    correction = groups / (groups - 1) * (sessions - 1) / (sessions - 2)
    return _weighted_least_squares(control, treatment, alpha, "HC0", correction, groups - 1)


def hc3(control: Arm, treatment: Arm, alpha: float = 0.05) -> Effect:
    """Return user means weighted by their denominator with HC3 errors, for few users (F6).

    t with G - 2 degrees of freedom below 100 users in an arm, else normal; G counts the users
    with a denominator.

    Source: MacKinnon, White 1985.
    """
    plain = delta_method(control, treatment, alpha)
    if plain.status != OK:
        return plain
    is_small = min(control.users, treatment.users) < USERS_FOR_NORMAL
    df = _users_with_denominator(control, treatment) - 2 if is_small else None
    return _weighted_least_squares(control, treatment, alpha, "HC3", 1.0, df)


def _users_with_denominator(*arms: Arm) -> int:
    return sum(np.count_nonzero(arm.denominator) for arm in arms)


def _weighted_least_squares(
    control: Arm,
    treatment: Arm,
    alpha: float,
    covariance: str,
    correction: float,
    degrees_of_freedom: DegreesOfFreedom,
) -> Effect:
    arms = [(arm, arm.denominator > 0) for arm in (control, treatment)]
    numerators, weights = (
        np.concatenate([getattr(arm, name)[has] for arm, has in arms])
        for name in ("numerator", "denominator")
    )
    is_treatment = np.repeat([False, True], [has.sum() for _, has in arms])
    # A column per arm instead of a constant: the variances of both ratios come out.
    columns = np.column_stack([~is_treatment, is_treatment]).astype(float)
    fit = WLS(numerators / weights, columns, weights=weights).fit(cov_type=covariance)
    variances = np.diag(fit.cov_params()) * correction
    estimates = (
        Estimate(float(value), float(variance), arm.users)
        for value, variance, (arm, _) in zip(fit.params, variances, arms, strict=True)
    )
    return compare(*estimates, alpha, degrees_of_freedom)
