"""The effect on a ratio metric by the delta method: the project's main analysis."""

from typing import Literal

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.effect import DegreesOfFreedom, Effect, Estimate, compare

Distribution = Literal["auto", "normal", "t"]
# With fewer users in an arm, Welch's t replaces the normal distribution.
USERS_FOR_NORMAL = 250


def delta_method(
    control: Arm, treatment: Arm, alpha: float = 0.05, distribution: Distribution = "auto"
) -> Effect:
    """Return the effect on R = sum(S) / sum(N), with users as the independent units (F2-F4).

    Args:
        control, treatment: totals per assigned user.
        alpha: 1 - confidence.
        distribution: 'normal', Welch's 't', or 'auto': t below 250 users in an arm.

    Raises:
        ValueError: `alpha` or `distribution` is not valid.

    Source: Deng, Knoblich, Lu, *Applying the Delta Method in Metric Analytics*, 2018.
    """
    return compare(
        Estimate(control.ratio, control.ratio_variance, control.users),
        Estimate(treatment.ratio, treatment.ratio_variance, treatment.users),
        alpha,
        degrees_of_freedom(control, treatment, distribution),
    )


def degrees_of_freedom(
    control: Arm, treatment: Arm, distribution: Distribution
) -> DegreesOfFreedom:
    """Return which distribution the test of a difference takes: 'Welch', or None for normal."""
    if distribution not in ("auto", "normal", "t"):
        raise ValueError("the distribution must be auto, normal or t")
    is_small = min(control.users, treatment.users) < USERS_FOR_NORMAL
    return "Welch" if distribution == "t" or (distribution == "auto" and is_small) else None
