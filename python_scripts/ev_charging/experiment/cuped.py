"""CUPED: what users did before the assignment explains part of what they did after it (F8)."""

import math
from dataclasses import dataclass

import numpy as np

from ev_charging.experiment.arm import Arm, inner_product, variance_of_mean, without_rounding
from ev_charging.experiment.effect import NO_PRE_PERIOD, OK, Effect, Estimate, compare
from ev_charging.experiment.ratio import Distribution, degrees_of_freedom, delta_method

_LEAST_USERS = 30


@dataclass(frozen=True)
class CupedEffect:
    """An effect adjusted for the pre-period.

    Attributes:
        effect: control as observed; treatment, difference and the rest adjusted.
        theta: slope of the metric on its pre-period, both linearised.
        variance_reduction: 1 - adjusted / unadjusted variance of the difference.
    """

    effect: Effect
    theta: float = math.nan
    variance_reduction: float = math.nan


def cuped(
    control: Arm, treatment: Arm, alpha: float = 0.05, distribution: Distribution = "auto"
) -> CupedEffect:
    """Return the effect on the ratio less theta x the difference of the pre-period ratios.

    theta = sum of x y / sum of x^2 over the users of both arms, with y and x the linearised
    metric and pre-period of a user within their arm. Arguments as of `ratio.delta_method`.
    Without a pre-period of at least 30 users (half of them, in a small arm) in each arm the
    status is 'no_pre_period': a few users don't tell how an arm was.

    Source: Deng, Xu, Kohavi, Walker 2013, appendix B.
    """
    plain = delta_method(control, treatment, alpha, distribution)
    if plain.status != OK:
        return CupedEffect(plain)
    before_control, before_treatment = control.pre_period(), treatment.pre_period()
    if before_control is None or before_treatment is None:
        return CupedEffect(Effect(status=NO_PRE_PERIOD))
    if not (_is_covered(control) and _is_covered(treatment)):
        return CupedEffect(Effect(status=NO_PRE_PERIOD))
    before_difference = before_treatment.ratio - before_control.ratio
    before = np.concatenate([before_control.linearised, before_treatment.linearised])
    after = np.concatenate([control.linearised, treatment.linearised])
    square_sum = inner_product(before, before)
    # A pre-period in which all users are alike explains nothing.
    theta = inner_product(before, after) / square_sum if square_sum else 0.0
    adjusted = compare(
        _adjusted(control, before_control, theta, 0.0),
        _adjusted(treatment, before_treatment, theta, theta * before_difference),
        alpha,
        degrees_of_freedom(control, treatment, distribution),
    )
    reduction = 1 - (adjusted.standard_error / plain.standard_error) ** 2
    return CupedEffect(adjusted, theta, reduction)


def _is_covered(arm: Arm) -> bool:
    """Return whether enough users have a pre-period for its variance to be known."""
    known = np.count_nonzero(arm.pre_denominator)
    return known >= 2 and known >= min(_LEAST_USERS, arm.users / 2)


def _adjusted(arm: Arm, before: Arm, theta: float, shift: float) -> Estimate:
    residuals = arm.linearised - theta * before.linearised
    residuals = without_rounding(residuals, arm.linearised)
    return Estimate(arm.ratio - shift, variance_of_mean(residuals), arm.users)
