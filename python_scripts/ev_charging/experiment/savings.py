"""What cheaper and cleaner energy is worth."""

from typing import Any

DAYS_PER_MONTH = 365.25 / 12
USERS = 1000


def energy_per_user_day(energy: Any, days: float) -> float:
    """Return the energy of a treated user in a day, kWh.

    Args:
        energy: row of experiment_results of the metric energy_per_session, by the delta method.
        days: days that a treated user was in the experiment, on average.
    """
    return energy.treatment_value * energy.denominator_treatment / energy.users_treatment / days


def saving(effect: Any, energy_per_day: float) -> tuple[float, float, float]:
    """Return the saving of 1,000 users in a month, and the ends of its interval.

    Args:
        effect: row of experiment_results of a metric per kWh.
        energy_per_day: energy of a user in a day, kWh.

    Returns:
        Estimate, low and high end, in the unit of the metric's numerator; positive = less.
    """
    energy = energy_per_day * DAYS_PER_MONTH * USERS
    changes = (effect.difference, effect.ci_high, effect.ci_low)
    return tuple(0.0 - change * energy for change in changes)
