"""Whether a treatment is at most a margin worse than the control (F12)."""

import math
from dataclasses import dataclass
from typing import Literal

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.effect import OK, Estimate, compare
from ev_charging.experiment.ratio import Distribution, degrees_of_freedom

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class NonInferiority:
    """One-sided p-value of 'worse by the margin or more', and whether it is below alpha.

    Without a test p is nan and the treatment isn't shown to be non-inferior.
    """

    p_value: float
    is_noninferior: bool


def noninferiority(
    control: Arm,
    treatment: Arm,
    margin: float,
    better: Better,
    alpha: float = 0.05,
    distribution: Distribution = "auto",
) -> NonInferiority:
    """Test R_t - (1 - m) R_c > 0 where higher is better, R_t - (1 + m) R_c < 0 where lower is.

    Args:
        control, treatment: totals per assigned user.
        margin: m, as a share of the control, not negative. Of a negative control ratio, the
            margin is that share of its size.
        better: 'higher' or 'lower'.
        alpha: level of the one-sided test.
        distribution: as of `ratio.delta_method`.

    Raises:
        ValueError: `margin`, `better`, `alpha` or `distribution` is not valid.
    """
    check_better(better)
    if not margin >= 0:
        raise ValueError("the margin must not be negative")
    is_negative = control.ratio < 0
    factor = 1 + margin if (better == "lower") != is_negative else 1 - margin
    effect = compare(
        Estimate(factor * control.ratio, factor**2 * control.ratio_variance, control.users),
        Estimate(treatment.ratio, treatment.ratio_variance, treatment.users),
        alpha,
        degrees_of_freedom(control, treatment, distribution),
    )
    if effect.status != OK:
        return NonInferiority(math.nan, False)
    is_on_good_side = effect.difference > 0 if better == "higher" else effect.difference < 0
    p_value = effect.p_value / 2 if is_on_good_side else 1 - effect.p_value / 2
    return NonInferiority(p_value, p_value < alpha)


def check_better(better: str) -> None:
    """Raise ValueError if it is neither 'higher' nor 'lower'."""
    if better not in ("higher", "lower"):
        raise ValueError("better must be higher or lower")
