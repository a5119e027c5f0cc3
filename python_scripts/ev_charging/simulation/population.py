"""The drivers of a fleet: who they are, drawn once and the same in every run of a seed."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtr

from ev_charging.simulation.archetypes import Archetype
from ev_charging.simulation.config import FleetConfig
from ev_charging.stateless_random import normal, uniform

KM_PER_MILE = 1.609344
DAYS_PER_YEAR = 365
_HOUR_S = 3600.0
_NOON_S, _LATEST_RETURN_S = 12 * 3600, 21 * 3600
_GOLDEN_SHARE = 0.6180339887498949

# How people differ from their archetype, so that a fleet charges as 41,600 sessions of Norwegian
# homes do (the figures and how near they are reached: the mart simulation_validation).
_USUAL_PLUG_IN_S = 18 * 3600
_RETURN_SHIFT_H, _RETURN_SPREAD_H = -1.15, 1.7
# on workdays and on other days
_LEAVE_H, _LEAVE_SPREAD_H = np.array([7.7, 10.6]), np.array([0.8, 1.0])
_HABIT_BETA = (0.83, 0.78)
_AWAY_BETA = (2.15, 2.2)
_AWAY_FOLLOWS_HABIT = 0.95
_DISTANCE_SPREAD = 0.38
_TARGETS = {0.8: 0.5, 0.9: 0.25, 1.0: 0.25}
_RESERVE_SOC = 0.3


@dataclass(frozen=True)
class Population:
    """What is fixed about each driver; one element per driver in every array.

    Attributes:
        user: number of the driver.
        archetype: index of the archetype.
        battery_kwh: usable capacity.
        charger_kw: power of the charger at home.
        target_soc: state of charge that is charged to, 0 to 1.
        reserve_soc: state of charge that nothing but driving goes below.
        km_per_kwh: distance per energy drawn from the battery.
        km_per_day: mean distance.
        leave_s: usual time of leaving on workdays and on other days, shape (2, users).
        return_s: usual time of coming home, seconds after local midnight.
        habit: chance of plugging in although the battery doesn't ask for it.
        away_share: part of the driving that is charged away from home.
        first_soc: state of charge at the begin.
        first_register_kwh: reading of the import register at the begin.
    """

    user: np.ndarray
    archetype: np.ndarray
    battery_kwh: np.ndarray
    charger_kw: np.ndarray
    target_soc: np.ndarray
    reserve_soc: np.ndarray
    km_per_kwh: np.ndarray
    km_per_day: np.ndarray
    leave_s: np.ndarray
    return_s: np.ndarray
    habit: np.ndarray
    away_share: np.ndarray
    first_soc: np.ndarray
    first_register_kwh: np.ndarray


def draw_population(config: FleetConfig, archetypes: list[Archetype]) -> Population:
    """Return the drivers of a run."""
    user = np.arange(config.first_user, config.first_user + config.users)
    kind = _archetype_of(config, archetypes, user)

    def figure(field: str) -> np.ndarray:
        return np.array([getattr(archetype, field) for archetype in archetypes], dtype=float)[kind]

    km_per_day = figure("miles_per_year") * KM_PER_MILE / DAYS_PER_YEAR
    verbatim = {
        "user": user,
        "archetype": kind,
        "battery_kwh": figure("battery_kwh"),
        "charger_kw": figure("charger_kw"),
        "km_per_kwh": figure("miles_per_kwh") * KM_PER_MILE,
        "first_register_kwh": np.floor(9_000 * uniform(config.seed, "register", user)),
    }
    if config.mode == "sketch":
        leave_s = figure("plug_out_s")
        return_s = figure("plug_in_s")
        return Population(
            **verbatim,
            target_soc=figure("target_soc"),
            reserve_soc=np.zeros(len(user)),
            km_per_day=km_per_day,
            leave_s=np.stack([leave_s, leave_s]),
            # who plugs in before leaving comes home the next day
            return_s=np.where(return_s < leave_s, return_s + 86_400, return_s),
            habit=figure("plug_ins_per_day"),
            away_share=np.zeros(len(user)),
            first_soc=figure("target_soc"),
        )
    return Population(**verbatim, **_people(config, user, figure, km_per_day))


def _people(config: FleetConfig, user: np.ndarray, figure, km_per_day: np.ndarray) -> dict:
    """Return what makes people of archetypes: each with habits of their own."""

    def chance(channel: str) -> np.ndarray:
        return uniform(config.seed, channel, user)

    def spread(channel: str) -> np.ndarray:
        return normal(config.seed, channel, user)

    # An archetype that plugs in at midnight is plugged in whenever it is at home.
    plug_in_s = figure("plug_in_s")
    comes_home_s = np.where(plug_in_s < _NOON_S, _USUAL_PLUG_IN_S, plug_in_s)
    return_s = comes_home_s + _HOUR_S * (_RETURN_SHIFT_H + _RETURN_SPREAD_H * spread("return"))
    leave_s = _HOUR_S * (_LEAVE_H[:, None] + _LEAVE_SPREAD_H[:, None] * spread("leave"))
    often = figure("plug_ins_per_day")
    inclination = spread("habit")
    habit = often * betaincinv(*_HABIT_BETA, ndtr(inclination))
    # who seldom plugs in at home charges elsewhere
    elsewhere = _AWAY_FOLLOWS_HABIT * -inclination + np.sqrt(1 - _AWAY_FOLLOWS_HABIT**2) * spread(
        "away"
    )
    return {
        "target_soc": np.select(
            [chance("target") < share for share in np.cumsum(list(_TARGETS.values()))[:-1]],
            list(_TARGETS)[:-1],
            default=list(_TARGETS)[-1],
        ),
        "reserve_soc": np.full(len(user), _RESERVE_SOC),
        # a logarithmic spread that keeps the mean
        "km_per_day": km_per_day
        * np.exp(_DISTANCE_SPREAD * spread("distance") - _DISTANCE_SPREAD**2 / 2),
        "leave_s": np.clip(leave_s, 4 * _HOUR_S, _NOON_S),
        "return_s": np.clip(return_s, _NOON_S, _LATEST_RETURN_S),
        "habit": np.where(plug_in_s < _NOON_S, 1.0, habit),
        "away_share": betaincinv(*_AWAY_BETA, ndtr(elsewhere)),
        "first_soc": 0.4 + 0.4 * chance("first_soc"),
    }


def _archetype_of(config: FleetConfig, archetypes: list[Archetype], user: np.ndarray) -> np.ndarray:
    """Return the archetype of each driver.

    Multiples of the golden ratio fill the unit interval evenly, so that also a small fleet has
    every archetype about as often as its share says, and no driver depends on how many there are.
    """
    shares = config.archetype_shares or [archetype.population_pct for archetype in archetypes]
    edges = np.cumsum(shares) / np.sum(shares)
    offset = uniform(config.seed, "archetype", 0)
    place = (offset + (user + 1) * _GOLDEN_SHARE) % 1
    return np.minimum(np.searchsorted(edges, place, side="right"), len(archetypes) - 1)
