"""Looking at an experiment before its end: a confidence sequence holds at every look (F9)."""

import math
from dataclasses import replace

from ev_charging.experiment.effect import OK, Effect, check_alpha


def confidence_sequence(
    effect: Effect, users: int, planned_users: int, alpha: float = 0.05
) -> Effect:
    """Return an effect with the asymptotic confidence sequence and its always-valid p-value.

    The interval is D +- SE sqrt(n) sqrt(2 (n rho^2 + 1) / (n rho)^2 ln(sqrt(n rho^2 + 1) / alpha)),
    narrowest at the planned number of users; p is the smallest level at which it excludes 0, at
    the same rho. There is no relative interval.

    Args:
        effect: difference and standard error of this look.
        users: users in both arms at this look.
        planned_users: users in both arms at the planned end, at least 1.
        alpha: 1 - confidence over all looks together.

    Raises:
        ValueError: `planned_users` is below 1 or `alpha` is not valid.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv 2103.06476, theorem 2.2.
    """
    check_alpha(alpha)
    if planned_users < 1:
        raise ValueError("a confidence sequence needs the planned number of users")
    without_relative = replace(
        effect,
        relative_ci_low=math.nan,
        relative_ci_high=math.nan,
        relative_interval=None,
        degrees_of_freedom=None,
    )
    if effect.status != OK:
        return without_relative
    rho_squared = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / planned_users
    information = users * rho_squared
    spread = (information + 1) / information
    half_width = effect.standard_error * math.sqrt(
        2 * spread * (0.5 * math.log(information + 1) - math.log(alpha))
    )
    statistic = effect.difference / effect.standard_error
    log_p = 0.5 * math.log(information + 1) - statistic**2 / (2 * spread)
    return replace(
        without_relative,
        ci_low=effect.difference - half_width,
        ci_high=effect.difference + half_width,
        p_value=math.exp(min(log_p, 0.0)),
    )
