"""Controllers: functions that decide when a car may charge, from what a real one can see.

A controller sees when the car came, when its driver usually leaves, how long the charge takes and
the published prices. It never sees when the driver will really leave.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ev_charging.simulation.archetypes import clock_seconds
from ev_charging.simulation.clock import DAY_S, LocalClock
from ev_charging.simulation.config import FleetConfig
from ev_charging.simulation.plan import Plan, joined
from ev_charging.stateless_random import uniform

_MINUTE_S = 60
# Cars that a cap would leave below their target are served under one that is higher by a quarter.
_CAP_RAISE = 1.25
# Less charging than this is rounding.
_DUST_S = 1e-3


@dataclass(frozen=True)
class Request:
    """What a controller sees of cars that plug in; one element per stay.

    Attributes:
        user: number of the driver.
        plugged_in_s: instant from which the car can charge.
        expected_departure_s: instant at which the driver usually leaves.
        charging_s: seconds that the charge takes at the charger's power.
        power_kw: power of the charger.
    """

    user: np.ndarray
    plugged_in_s: np.ndarray
    expected_departure_s: np.ndarray
    charging_s: np.ndarray
    power_kw: np.ndarray


Controller = Callable[[Request], Plan]


def controller_of(config: FleetConfig, clock: LocalClock, prices: pd.DataFrame) -> Controller:
    """Return the controller of a run.

    Args:
        config: the run.
        clock: the drivers' clock.
        prices: columns starts_at (UTC), minutes and eur_per_mwh of the zone; see `price_slots`.

    Raises:
        ValueError: the smart controller has no prices for some time of the run.
    """
    if config.controller == "uncontrolled":
        return uncontrolled
    if config.controller == "scheduled":
        planned = scheduled(clock, clock_seconds(config.scheduled_start, "scheduled_start"))
    else:
        cap_kw = config.cap_kw_per_car and config.cap_kw_per_car * config.users
        planned = smart(price_slots(prices), cap_kw)
    if config.jitter_minutes:
        planned = delayed(planned, config.jitter_minutes * _MINUTE_S, config.seed)
    return planned


def uncontrolled(request: Request) -> Plan:
    """Charge from the plug-in on."""
    starts = request.plugged_in_s[:, None].astype(float)
    return Plan(starts, np.full_like(starts, np.inf))


def scheduled(clock: LocalClock, start_s: int) -> Controller:
    """Return a controller that charges from a local time on, seconds after midnight.

    It starts earlier where the charge would not be done by the expected departure otherwise.
    """

    def plan(request: Request) -> Plan:
        wall_s = clock.wall(request.plugged_in_s)
        today_s = np.floor(wall_s / DAY_S) * DAY_S + start_s
        next_s = clock.instant(np.where(today_s >= wall_s, today_s, today_s + DAY_S))
        latest_s = request.expected_departure_s - request.charging_s
        starts = np.maximum(np.minimum(next_s, latest_s), request.plugged_in_s)[:, None]
        return Plan(starts, np.full_like(starts, np.inf))

    return plan


@dataclass(frozen=True)
class PriceSlots:
    """Published prices without gaps, in order.

    Attributes:
        edges_s: instants at which the price changes, one more than prices.
        price: EUR per MWh from an edge to the next.
    """

    edges_s: np.ndarray
    price: np.ndarray


def price_slots(prices: pd.DataFrame) -> PriceSlots:
    """Return the slots of a zone's prices.

    Raises:
        ValueError: there are none, they overlap, or one is missing in between.
    """
    if prices.empty:
        raise ValueError("there are no prices")
    prices = prices.sort_values("starts_at")
    starts_s = prices["starts_at"].to_numpy("datetime64[s]").astype(np.int64)
    ends_s = starts_s + prices["minutes"].to_numpy(np.int64) * _MINUTE_S
    wrong = np.flatnonzero(starts_s[1:] != ends_s[:-1])
    if wrong.size:
        moment = np.datetime64(int(ends_s[wrong[0]]), "s")
        raise ValueError(f"prices have a gap or an overlap at {moment} UTC")
    edges_s = np.append(starts_s, ends_s[-1]).astype(float)
    return PriceSlots(edges_s, prices["eur_per_mwh"].to_numpy(float))


def smart(slots: PriceSlots, cap_kw: float | None = None) -> Controller:
    """Return a controller that charges in the cheapest slots before the expected departure.

    Where there is less time than the charge takes, it charges all the time; a car that is still
    there after the expected departure, and not full, goes on.

    Args:
        slots: the prices.
        cap_kw: mean power that is promised in a slot at most, to those who come first; for cars
            that would miss their target it is raised. None for no limit.
    """
    promised_kw = np.zeros(len(slots.price))

    def plan(request: Request) -> Plan:
        if not len(request.user):
            return Plan(np.empty((0, 1)), np.empty((0, 1)))
        first = np.searchsorted(slots.edges_s, request.plugged_in_s, side="right") - 1
        last = np.searchsorted(slots.edges_s, request.expected_departure_s, side="left")
        if first.min() < 0 or last.max() >= len(slots.edges_s):
            raise ValueError("the prices don't reach over the run")
        slot = first[:, None] + np.arange(int((last - first).max()))
        inside = slot < last[:, None]
        slot = np.minimum(slot, len(slots.price) - 1)
        starts = np.maximum(slots.edges_s[slot], request.plugged_in_s[:, None])
        ends = np.minimum(slots.edges_s[slot + 1], request.expected_departure_s[:, None])
        free_s = np.where(inside, np.maximum(ends - starts, 0.0), 0.0)
        order = np.argsort(np.where(free_s > 0, slots.price[slot], np.inf), axis=1, kind="stable")
        if cap_kw is None:
            taken_s = _cheapest(free_s, order, request.charging_s)
        else:
            taken_s = _within_cap(request, slot, free_s, order, slots, promised_kw, cap_kw)
        planned = joined(starts, starts + taken_s)
        rest = request.expected_departure_s[:, None]
        rest = np.maximum(rest, request.plugged_in_s[:, None])
        return Plan(
            np.hstack([planned.starts, rest]), np.hstack([planned.ends, np.full_like(rest, np.inf)])
        )

    return plan


def delayed(controller: Controller, longest_s: float, seed: int) -> Controller:
    """Return a controller that delays the plans of another by a random time of each stay.

    A plan is delayed as a whole, and only as far as it still ends before the expected departure.
    The British rules for smart charge points ask for such a delay (The Electric Vehicles (Smart
    Charge Points) Regulations 2021, schedule 1).
    """

    def plan(request: Request) -> Plan:
        planned = controller(request)
        minute = (request.plugged_in_s // _MINUTE_S).astype(np.int64)
        delay_s = longest_s * uniform(seed, "jitter", request.user, minute)
        before = planned.used(request.expected_departure_s, request.charging_s)
        last_s = np.where(np.isfinite(before.ends), before.ends, -np.inf).max(axis=1)
        slack_s = np.where(np.isfinite(last_s), request.expected_departure_s - last_s, 0.0)
        delay_s = np.clip(delay_s, 0.0, np.maximum(slack_s, 0.0))[:, None]
        rest = np.maximum(request.expected_departure_s, request.plugged_in_s)[:, None]
        return Plan(
            np.hstack([before.starts + delay_s, rest]),
            np.hstack([before.ends + delay_s, np.full_like(rest, np.inf)]),
        )

    return plan


def _cheapest(free_s: np.ndarray, order: np.ndarray, charging_s: np.ndarray) -> np.ndarray:
    """Return the seconds taken of each slot, cheapest first; shape (stays, slots)."""
    sorted_s = np.take_along_axis(free_s, order, axis=1)
    before_s = np.cumsum(sorted_s, axis=1) - sorted_s
    taken_s = np.empty_like(free_s)
    wanted_s = np.clip(charging_s[:, None] - before_s, 0.0, sorted_s)
    np.put_along_axis(taken_s, order, wanted_s, axis=1)
    return taken_s


def _within_cap(
    request: Request,
    slot: np.ndarray,
    free_s: np.ndarray,
    order: np.ndarray,
    slots: PriceSlots,
    promised_kw: np.ndarray,
    cap_kw: float,
) -> np.ndarray:
    """Return the seconds taken of each slot while the promised power stays below a cap.

    All stays ask for their cheapest slot, then for their next cheapest, and so on. In a slot the
    first to plug in are served first. Those who would miss their target ask again under a higher
    cap, until they have what they need or all the time there is.
    """
    slot_s = np.diff(slots.edges_s)
    rest_s = free_s.copy()
    missing_s = np.minimum(request.charging_s, free_s.sum(axis=1))
    while (missing_s > _DUST_S).any():
        for rank in range(order.shape[1]):
            car = np.flatnonzero(missing_s > _DUST_S)
            column = order[car, rank]
            asked_s = np.minimum(missing_s[car], rest_s[car, column])
            number = slot[car, column]
            asked_kw = request.power_kw[car] * asked_s / slot_s[number]
            queue = np.lexsort((request.user[car], request.plugged_in_s[car], number))
            fits = np.zeros(len(car), dtype=bool)
            fits[queue] = _fits(number[queue], asked_kw[queue], promised_kw, cap_kw)
            car, column = car[fits], column[fits]
            rest_s[car, column] -= asked_s[fits]
            missing_s[car] -= asked_s[fits]
            np.add.at(promised_kw, number[fits], asked_kw[fits])
        cap_kw *= _CAP_RAISE
    return free_s - rest_s


def _fits(
    number: np.ndarray, asked_kw: np.ndarray, promised_kw: np.ndarray, cap_kw: float
) -> np.ndarray:
    """Return which of the requests, sorted by the number of their slot, stay below the cap."""
    if not len(number):
        return np.zeros(0, dtype=bool)
    is_first = np.append(True, number[1:] != number[:-1])
    total_kw = np.cumsum(asked_kw)
    earlier_kw = (total_kw - asked_kw)[is_first][np.cumsum(is_first) - 1]
    return promised_kw[number] + total_kw - earlier_kw <= cap_kw
