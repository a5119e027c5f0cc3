"""How much an experiment can see, and how much larger it would have to be (F11)."""

import math

from scipy import special

from ev_charging.experiment.effect import check_alpha


def minimum_detectable_effect(
    standard_error: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return (z_(1 - alpha/2) + z_power) x SE, in the unit of the standard error.

    Raises ValueError if alpha or power don't lie between 0 and 1.
    """
    check_alpha(alpha)
    if not 0 < power < 1:
        raise ValueError("the power must lie between 0 and 1")
    return float(special.ndtri(power) - special.ndtri(alpha / 2)) * standard_error


def users_needed(users: int, detectable_effect: float, target_effect: float) -> float:
    """Return the users of both arms that could see the target: n (MDE / target)^2, rounded up.

    nan if the target is 0 or an effect is nan.
    """
    if not target_effect or math.isnan(detectable_effect) or math.isnan(target_effect):
        return math.nan
    return float(math.ceil(users * (detectable_effect / target_effect) ** 2))


def design_effect(standard_error: float, naive_standard_error: float) -> float:
    """Return (SE / naive SE)^2: how many times too small the variance over sessions is.

    nan if the naive standard error is 0 or nan.
    """
    if not naive_standard_error:
        return math.nan
    return (standard_error / naive_standard_error) ** 2


def effective_sessions(sessions: float, design_effect: float) -> float:
    """Return how many independent sessions the sessions are worth; nan without design effect."""
    return sessions / design_effect if design_effect else math.nan


def standard_error_after(
    standard_error: float, naive_standard_error: float, weeks_observed: float, weeks: float
) -> float:
    """Return the standard error if the same users were observed for other weeks in all.

    The variance between users, SE^2 - naive SE^2, stays; that of their sessions, naive SE^2,
    shrinks with the number of weeks.

    Raises ValueError if the weeks are not positive.
    """
    if weeks_observed <= 0 or weeks <= 0:
        raise ValueError("the weeks must be positive")
    total = standard_error**2
    within = naive_standard_error**2
    if within > total:
        within = total
    return math.sqrt(total - within + within * weeks_observed / weeks)
