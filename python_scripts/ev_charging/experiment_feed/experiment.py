"""A whole experiment: both potential outcomes, the assignment, and what is delivered of them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd

from ev_charging.experiment_feed.behaviour import join_sessions, local_minutes
from ev_charging.experiment_feed.delivery import session_rows, user_rows
from ev_charging.experiment_feed.effect import Effects
from ev_charging.experiment_feed.faults import (
    FAULTS,
    MOVED_DENOMINATOR,
    MOVED_DENOMINATOR_PCT,
    with_faults,
)
from ev_charging.experiment_feed.outcomes import PRE_PERIOD_DAYS, Outcomes, potential_outcomes
from ev_charging.experiment_feed.price_calendar import LOW_PRICE_HOURS_PER_DAY, PriceCalendar
from ev_charging.experiment_feed.truth import true_effects
from ev_charging.experiment_feed.world import World
from ev_charging.market.prices import hourly_prices
from ev_charging.residential.local_clock import TIME_ZONE, LocalClock
from ev_charging.stateless_random import uniform

PRICE_ZONE = "NO3"
VARIANTS = ("control", "treatment")
DEFAULT_EXPERIMENT_ID = "charge_timing_2024"
DEFAULT_START = date(2024, 10, 21)
DEFAULT_DAYS = 14
DEFAULT_SESSIONS_PER_USER_AND_WEEK = 2.5
# Whoever plugs in on the last day leaves on the next one.
_PRICE_DAYS_AFTER = 2
_EPOCH = date(1970, 1, 1)
_ASSIGNED_FROM, _ASSIGNED_MINUTES = 8 * 60, 12 * 60


@dataclass(frozen=True)
class Experiment:
    """What an experiment delivers, and the truth behind it.

    Attributes:
        users: one row per assigned user; the columns of the feed experiment__users, typed.
        sessions: one row per session in order of the plug-in; those of experiment__sessions.
        prices: one row per hour of the pre-period and of the experiment; those of market__prices.
        truth: design, arguments, and each metric of the whole population without and with the
            signal, before any fault; ready for JSON.
    """

    users: pd.DataFrame
    sessions: pd.DataFrame
    prices: pd.DataFrame
    truth: dict


def generate_experiment(
    users: int = 2000,
    seed: int = 42,
    effects: Effects | None = None,
    faults: Sequence[str] = (),
    days: int = DEFAULT_DAYS,
    sessions_per_user_and_week: float = DEFAULT_SESSIONS_PER_USER_AND_WEEK,
    experiment_id: str = DEFAULT_EXPERIMENT_ID,
    start: date = DEFAULT_START,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Experiment:
    """Return an experiment of which the true effects are known.

    All users are generated without and with the signal, then randomised. The same arguments give
    the same numbers.

    Args:
        users: assigned users, at least 2.
        seed: seed of the random numbers, of prices too.
        effects: what the signal does; the defaults of Effects if None.
        faults: names of FAULTS, what is wrong with the delivery.
        days: local days of the experiment, at least 1.
        sessions_per_user_and_week: their mean, between 0 and 7.
        experiment_id: name of the experiment.
        start: first local day of the experiment.
        on_progress: called with the number of users computed since the last call.

    Raises:
        ValueError: if an argument is out of its range, a fault is unknown, or the population
            can't show the effects.
    """
    _check(users, days, start, experiment_id, faults)
    effects = effects or Effects()
    if MOVED_DENOMINATOR in faults:
        effects = replace(effects, sessions_pct=MOVED_DENOMINATOR_PCT)

    first_day = (start - _EPOCH).days
    prices = hourly_prices(
        PRICE_ZONE,
        start - timedelta(days=PRE_PERIOD_DAYS),
        PRE_PERIOD_DAYS + days + _PRICE_DAYS_AFTER,
        seed,
    )
    clock = _clock(start, days)
    world = World(PriceCalendar.of(prices, clock), clock, seed)
    outcomes = potential_outcomes(
        users, sessions_per_user_and_week, first_day, days, effects, world, on_progress
    )
    is_treated = uniform(seed, "assignment", outcomes.population.user) < 0.5
    user_frame, session_frame = with_faults(
        *_delivered(outcomes, is_treated, experiment_id, first_day, world), faults, seed
    )
    truth = {
        "experiment_id": experiment_id,
        "design": {
            "users": users,
            "assigned_users": dict(
                zip(VARIANTS, np.bincount(is_treated, minlength=2).tolist(), strict=True)
            ),
            "seed": seed,
            "starts_on": start.isoformat(),
            "ends_on": (start + timedelta(days=days - 1)).isoformat(),
            "days": days,
            "pre_period_days": PRE_PERIOD_DAYS,
            "sessions_per_user_and_week": sessions_per_user_and_week,
            "time_zone": TIME_ZONE,
            "price_zone": PRICE_ZONE,
            "low_price_hours_per_day": LOW_PRICE_HOURS_PER_DAY,
            "faults": list(faults),
        },
        "arguments": asdict(effects),
        "metrics": true_effects(
            outcomes.population, outcomes.control, outcomes.treatment, world.calendar
        ),
    }
    return Experiment(user_frame, session_frame, prices, truth)


def _check(users: int, days: int, start: date, experiment_id: str, faults: Sequence[str]) -> None:
    if users < 2:
        raise ValueError("an experiment needs at least two users")
    if days < 1:
        raise ValueError("an experiment needs at least one day")
    if not 2000 <= start.year < 2100:
        raise ValueError("an experiment must start between 2000 and 2099")
    if not experiment_id.strip():
        raise ValueError("an experiment needs an id")
    unknown = set(faults) - set(FAULTS)
    if unknown:
        raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")


def _clock(start: date, days: int) -> LocalClock:
    noon = datetime.combine(start, time(12), tzinfo=UTC)
    return LocalClock.between(
        noon - timedelta(days=PRE_PERIOD_DAYS + 2), noon + timedelta(days=days + 4)
    )


def _delivered(
    outcomes: Outcomes, is_treated: np.ndarray, experiment_id: str, first_day: int, world: World
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of users and of sessions, each session in the arm of its user."""
    population = outcomes.population
    drawn = uniform(world.seed, "assigned", population.user) * _ASSIGNED_MINUTES
    minute = _ASSIGNED_FROM + drawn.astype(np.int64)
    assigned = local_minutes(np.int64(first_day - 1), minute, world.clock)
    variant = np.take(VARIANTS, is_treated)
    control, treatment = outcomes.control, outcomes.treatment
    made = join_sessions(
        [control.take(~is_treated[control.user]), treatment.take(is_treated[treatment.user])]
    )
    return (
        user_rows(population, experiment_id, variant, assigned, outcomes.pre_totals),
        session_rows(made, world.calendar),
    )
