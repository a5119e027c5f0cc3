"""Both potential outcomes of every user: the sessions without the signal, and with it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ev_charging.experiment_feed.behaviour import (
    Sessions,
    charging_days,
    join_sessions,
    sessions_on,
)
from ev_charging.experiment_feed.effect import (
    Effects,
    days_added,
    days_left_out,
    treated_sessions,
)
from ev_charging.experiment_feed.metrics import session_figures, totals_per_user
from ev_charging.experiment_feed.population import (
    Population,
    draw_population,
    join_populations,
)
from ev_charging.experiment_feed.world import World

PRE_PERIOD_DAYS = 56
_USERS_PER_BLOCK = 10_000


@dataclass(frozen=True)
class Outcomes:
    """Users, and what each of them does in either arm.

    Attributes:
        population: all users.
        pre_totals: totals of the weeks before the experiment, each of shape (users,).
        control: sessions of all users without the signal.
        treatment: sessions of all users with the signal.
    """

    population: Population
    pre_totals: dict[str, np.ndarray]
    control: Sessions
    treatment: Sessions


@dataclass(frozen=True)
class _Block:
    """Some users, with their sessions without the signal and the days on which they have none."""

    population: Population
    pre_totals: dict[str, np.ndarray]
    control: Sessions
    free_days: np.ndarray


def potential_outcomes(
    users: int,
    sessions_per_user_and_week: float,
    first_day: int,
    days: int,
    effects: Effects,
    world: World,
    on_progress: Callable[[int], None],
) -> Outcomes:
    """Return both outcomes of all users.

    Args:
        users: number of users.
        sessions_per_user_and_week: their mean without the signal, between 0 and 7.
        first_day: first local day of the experiment, days since 1970.
        days: local days of the experiment.
        effects: what the signal does.
        world: prices, clock and seed.
        on_progress: called with the number of users computed since the last call.

    Raises:
        ValueError: if nobody has a session, or the users can't show the effects.
    """
    blocks = []
    for first_user in range(0, users, _USERS_PER_BLOCK):
        count = min(_USERS_PER_BLOCK, users - first_user)
        population = draw_population(first_user, count, sessions_per_user_and_week, world.seed)
        blocks.append(_block(population, first_day, days, world))
        on_progress(count)
    population = join_populations([block.population for block in blocks])
    control = join_sessions([block.control for block in blocks])
    if not len(control):
        raise ValueError("no user has a session: more users or more days are needed")
    pre_totals = {
        name: np.concatenate([block.pre_totals[name] for block in blocks])
        for name in blocks[0].pre_totals
    }
    free_days = np.concatenate([block.free_days for block in blocks])
    treatment = _with_signal(population, control, free_days, effects, world)
    return Outcomes(population, pre_totals, control, treatment)


def _block(population: Population, first_day: int, days: int, world: World) -> _Block:
    first_user, users = int(population.user[0]), len(population.user)
    before, _ = charging_days(population, first_day - PRE_PERIOD_DAYS, PRE_PERIOD_DAYS, world.seed)
    pre_sessions = sessions_on(population, before, world)
    pre_figures = session_figures(pre_sessions, world.calendar)
    made, free = charging_days(population, first_day, days, world.seed)
    return _Block(
        population=population,
        pre_totals=totals_per_user(pre_figures, pre_sessions.user - first_user, users),
        control=sessions_on(population, made, world),
        free_days=free + np.array([first_user, 0]),
    )


def _with_signal(
    population: Population,
    control: Sessions,
    free_days: np.ndarray,
    effects: Effects,
    world: World,
) -> Sessions:
    chance = population.sessions_per_day[free_days[:, 0]]
    added = days_added(*free_days.T, chance, len(control), effects, world.seed)
    is_made = np.ones(len(control), dtype=bool)
    is_made[days_left_out(control, effects, world.seed)] = False
    extra = sessions_on(population, free_days[added], world)
    made = join_sessions([control.take(is_made), extra])
    low_share = float(world.calendar.in_low_price_hour(control.start).mean())
    return treated_sessions(made, population.response[made.user], low_share, effects, world)
