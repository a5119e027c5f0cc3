"""The effect of a treatment: the difference of two estimates, its uncertainty and its test."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from scipy import special

OK = "ok"
NO_CONTROL_USERS = "no_control_users"
NO_TREATMENT_USERS = "no_treatment_users"
TOO_FEW_USERS = "too_few_users"
NO_DENOMINATOR = "no_denominator"
NO_VARIANCE = "no_variance"
NO_PRE_PERIOD = "no_pre_period"
NOT_A_SHARE = "not_a_share"

LOG_RATIO = "log ratio"
FIELLER = "Fieller"

DegreesOfFreedom = float | Literal["Welch"] | None


@dataclass(frozen=True)
class Estimate:
    """A ratio or mean of one arm, the variance of that figure, and the number of its units."""

    value: float
    variance: float
    units: int


@dataclass(frozen=True)
class Effect:
    """What a treatment changed; what can't be computed is nan and the status says why.

    Attributes:
        control, treatment: the figure of each arm, in the unit of the metric.
        difference: treatment - control.
        standard_error, ci_low, ci_high: of the difference.
        p_value: two-sided, of no difference; nan for methods that give only an interval.
        relative_difference: difference / |control|, so that its sign is the difference's.
        relative_ci_low, relative_ci_high: its interval, from the method `relative_interval`.
        relative_interval: 'log ratio', 'Fieller' or None.
        degrees_of_freedom: of the t distribution; None = normal distribution.
        status: 'ok', 'no_control_users', 'no_treatment_users', 'no_denominator' (nothing to
            divide by in an arm), 'too_few_users' (below 2 with a denominator in an arm),
            'no_variance' (all users alike), 'no_pre_period' (CUPED), 'not_a_share' (a test of
            shares on other values).
    """

    control: float = math.nan
    treatment: float = math.nan
    difference: float = math.nan
    standard_error: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    p_value: float = math.nan
    relative_difference: float = math.nan
    relative_ci_low: float = math.nan
    relative_ci_high: float = math.nan
    relative_interval: str | None = None
    degrees_of_freedom: float | None = None
    status: str = OK

    def without_interval(self, status: str = OK) -> "Effect":
        """Return the figures of the arms and their difference alone, with a status."""
        return Effect(
            control=self.control,
            treatment=self.treatment,
            difference=self.difference,
            relative_difference=self.relative_difference,
            status=status,
        )


def compare(
    control: Estimate,
    treatment: Estimate,
    alpha: float = 0.05,
    degrees_of_freedom: DegreesOfFreedom = None,
) -> Effect:
    """Return the effect between two independent estimates (F3, F4).

    The interval of the relative effect is that of the log ratio. Where its verdict contradicts
    the test of the difference, or a figure isn't positive, it is Fieller's instead, the inverse of
    that very test; where that is unbounded there is none.

    Args:
        control, treatment: figures of the arms; nan = nothing to divide by.
        alpha: 1 - confidence, between 0 and 1.
        degrees_of_freedom: of the t distribution, 'Welch' for Welch's, None for the normal one.

    Raises:
        ValueError: `alpha` is not between 0 and 1.
    """
    check_alpha(alpha)
    known = _point_estimates(control, treatment)
    if known.status != OK:
        return known
    c, t = math.sqrt(control.variance), math.sqrt(treatment.variance)
    standard_error = math.hypot(c, t)
    if standard_error == 0:
        return replace(known, standard_error=0.0, status=NO_VARIANCE)
    df = _degrees_of_freedom(degrees_of_freedom, c, t, control.units, treatment.units)
    half_width = critical_value(alpha, df) * standard_error
    effect = replace(
        known,
        standard_error=standard_error,
        ci_low=known.difference - half_width,
        ci_high=known.difference + half_width,
        p_value=two_sided_p(known.difference / standard_error, df),
        degrees_of_freedom=df,
    )
    log_ratio = _log_ratio_interval(control, treatment, alpha, degrees_of_freedom)
    if log_ratio and excludes_zero(*log_ratio) == excludes_zero(effect.ci_low, effect.ci_high):
        return _with_relative(effect, LOG_RATIO, log_ratio)
    fieller = _fieller_interval(effect, c, t, half_width / standard_error)
    return _with_relative(effect, FIELLER, fieller) if fieller else effect


def two_sided_p(statistic: float, degrees_of_freedom: float | None = None) -> float:
    """Return 2 sf(|statistic|) of the t distribution; None = of the normal one."""
    tail = -abs(statistic)
    if degrees_of_freedom is None:
        return float(2 * special.ndtr(tail))
    return float(2 * special.stdtr(degrees_of_freedom, tail))


def critical_value(alpha: float, degrees_of_freedom: float | None = None) -> float:
    """Return the value that |statistic| exceeds with probability alpha under no effect."""
    if degrees_of_freedom is None:
        return float(-special.ndtri(alpha / 2))
    return float(-special.stdtrit(degrees_of_freedom, alpha / 2))


def excludes_zero(low: float, high: float) -> bool:
    """Return whether an interval lies on one side of 0."""
    return low > 0 or high < 0


def check_alpha(alpha: float) -> None:
    """Raise ValueError if alpha is not between 0 and 1."""
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie between 0 and 1")


def _point_estimates(control: Estimate, treatment: Estimate) -> Effect:
    difference = treatment.value - control.value
    relative = difference / abs(control.value) if control.value else math.nan
    return Effect(
        control=control.value,
        treatment=treatment.value,
        difference=difference,
        relative_difference=relative if math.isfinite(relative) else math.nan,
        status=_status(control, treatment),
    )


def _status(control: Estimate, treatment: Estimate) -> str:
    if control.units == 0:
        return NO_CONTROL_USERS
    if treatment.units == 0:
        return NO_TREATMENT_USERS
    if math.isnan(control.value) or math.isnan(treatment.value):
        return NO_DENOMINATOR
    if math.isnan(control.variance) or math.isnan(treatment.variance):
        return TOO_FEW_USERS
    return OK


def _degrees_of_freedom(
    wanted: DegreesOfFreedom, c: float, t: float, control_units: int, treatment_units: int
) -> float | None:
    if wanted != "Welch":
        return wanted
    # As shares of the whole, so that squares of squares neither overflow nor underflow.
    total = math.hypot(c, t)
    return 1 / ((c / total) ** 4 / (control_units - 1) + (t / total) ** 4 / (treatment_units - 1))


def _log_ratio_interval(
    control: Estimate, treatment: Estimate, alpha: float, degrees_of_freedom: DegreesOfFreedom
) -> tuple[float, float] | None:
    if control.value <= 0 or treatment.value <= 0:
        return None
    c = math.sqrt(control.variance) / control.value
    t = math.sqrt(treatment.variance) / treatment.value
    if not 0 < math.hypot(c, t) < math.inf:
        return None
    # On its own scale Welch's degrees of freedom differ a little.
    df = _degrees_of_freedom(degrees_of_freedom, c, t, control.units, treatment.units)
    half_width = critical_value(alpha, df) * math.hypot(c, t)
    centre = math.log(treatment.value) - math.log(control.value)
    try:
        return math.expm1(centre - half_width), math.expm1(centre + half_width)
    except OverflowError:
        return None


def _fieller_interval(
    effect: Effect, control_error: float, treatment_error: float, critical: float
) -> tuple[float, float] | None:
    """Return the relative effects d that the test doesn't reject (Fieller 1954).

    They solve (D - d R_c)^2 <= q^2 (V_t + (1 + d)^2 V_c), a parabola in d whose constant term
    is ci_low x ci_high: a root is 0 exactly where the interval of D ends at 0.
    """
    control_part, treatment_part = critical * control_error, critical * treatment_error
    curvature = effect.control**2 - control_part**2
    if curvature <= 0:
        return None
    slope = effect.difference * effect.control + control_part**2
    constant = effect.ci_low * effect.ci_high
    # The discriminant slope^2 - curvature x constant, as a sum that loses no digits.
    root = math.hypot(treatment_part * math.sqrt(curvature), effect.treatment * control_part)
    # Likewise the root farther from 0; the other one follows from the product of both.
    far = slope + math.copysign(root, slope)
    roots = (far / curvature, constant / far) if far else (0.0, 0.0)
    if not all(math.isfinite(value) for value in roots):
        return None
    sign = math.copysign(1.0, effect.control)
    low, high = sorted(sign * value for value in roots)
    return low, high


def _with_relative(effect: Effect, method: str, interval: tuple[float, float]) -> Effect:
    low, high = interval
    return replace(effect, relative_ci_low=low, relative_ci_high=high, relative_interval=method)
