"""What goes wrong how often, how long vehicles charge, and why they stop: plans of attempts."""

from math import exp

from ev_charging.network_feed.attempt import (
    AUTHORIZE_FIRST,
    BREAKS,
    CACHED,
    CHARGES,
    LONE_AUTHORIZE,
    LONE_REJECTION,
    LONE_REMOTE,
    NO_ENERGY,
    NO_POWER,
    OPEN,
    PLUG_IN_FIRST,
    REJECTED,
    REMOTE,
    STOPPED,
    Plan,
)
from ev_charging.network_feed.draws import Choices, Draws
from ev_charging.network_feed.instants import HOUR_S, MINUTE_S
from ev_charging.network_feed.layout import OCPP_16, Model

FAILURES = Choices(
    {
        NO_ENERGY: 20,
        NO_POWER: 25,
        STOPPED: 20,
        REJECTED: 9,
        BREAKS: 6,
        LONE_REJECTION: 8,
        LONE_AUTHORIZE: 6,
        LONE_REMOTE: 6,
    }
)
REFUSALS = Choices({"Invalid": 50, "Blocked": 30, "Expired": 20})
# A fault takes longer than the visit, and the port needs the time before its next outage.
ROOM_TO_BREAK_S = 12 * HOUR_S

_MODES = {
    True: Choices({AUTHORIZE_FIRST: 55, CACHED: 25, REMOTE: 20}),
    False: Choices({CACHED: 35, AUTHORIZE_FIRST: 30, PLUG_IN_FIRST: 20, REMOTE: 15}),
}
_MODES_WHILE_PLUGGED_IN = Choices({AUTHORIZE_FIRST: 50, CACHED: 30, REMOTE: 20})
_GOOD_STOPS = {
    True: Choices({"EVDisconnected": 30, None: 40, "Local": 15, "Remote": 15}),
    False: Choices(
        {
            "EVDisconnected": 25,
            None: 15,
            "Local": 15,
            "Remote": 10,
            "StoppedByEV": 15,
            "SOCLimitReached": 10,
            "EnergyLimitReached": 5,
            "TimeLimitReached": 3,
            "LocalOutOfCredit": 2,
        }
    ),
}
_BAD_STOPS = {
    True: Choices({"Other": 40, "EmergencyStop": 20, "PowerLoss": 20, "SoftReset": 20}),
    False: Choices({"Other": 30, "EmergencyStop": 20, "PowerLoss": 25, "GroundFault": 25}),
}
_POWERLESS_STOPS = {
    True: Choices({"EVDisconnected": 50, None: 20, "Other": 30}),
    False: Choices({"Timeout": 40, "EVDisconnected": 30, "Other": 30}),
}
_PLUGS_FIRST, _HAS_SOC, _CONCURRENT, _UNMETERED, _OVERSTAYS = 0.5, 0.7, 0.01, 0.01, 0.5
_MOST_ENERGY_WH = 75_000
_HIGHEST_MEAN_W = {False: 11_000, True: 90_000}
_UNPLUGGING_S = 10 * MINUTE_S


def transaction_plan(
    draws: Draws,
    model: Model,
    kind: str,
    start: int,
    token: str | None,
    room_s: int,
    mode: str | None = None,
    joins: int | None = None,
    stays: bool = False,
) -> Plan:
    """Return a plan of an attempt with a transaction.

    Args:
        draws: random numbers.
        model: the charger.
        kind: what is going to happen.
        start: when the driver acts first.
        token: token of the driver, None for one who is never named.
        room_s: time until the port must be free.
        mode: how the driver starts, if it matters.
        joins: end of the transaction before in the same plug-in.
        stays: whether the vehicle stays plugged in.
    """
    is_16 = model.protocol == OCPP_16
    if mode is None:
        mode = draws.weighted(_MODES[is_16] if joins is None else _MODES_WHILE_PLUGGED_IN)
    plan = Plan(kind, mode, token, start, draws.chance(_PLUGS_FIRST), joins=joins, stays=stays)
    plan.lingers_s = draws.between(15, 300)
    if kind == REJECTED:
        plan.mode = CACHED
        plan.token_status, plan.stop_reason = draws.weighted(REFUSALS), "DeAuthorized"
        plan.charging_s = draws.between(5, 15)
    elif kind == NO_POWER:
        plan.charging_s = draws.between(30, 180)
        plan.stop_reason = draws.weighted(_POWERLESS_STOPS[is_16])
    elif kind == NO_ENERGY:
        plan.charging_s = draws.between(20, 120)
        plan.stop_reason = draws.weighted(draws.pick((_GOOD_STOPS, _BAD_STOPS))[is_16])
    elif kind == OPEN:
        plan.charging_s = 24 * HOUR_S
        plan.energy_wh = 24 * _mean_power_w(draws, model)
    else:
        _charge(draws, model, plan, room_s)
    if stays and plan.stop_reason == "EVDisconnected":
        plan.stop_reason = "Local"
    if plan.stop_reason == "EVDisconnected":
        plan.lingers_s = draws.between(2, 5)
    return plan


def _charge(draws: Draws, model: Model, plan: Plan, room_s: int) -> None:
    is_16, is_fast = model.protocol == OCPP_16, model.is_fast
    if plan.kind == CHARGES:
        median_s, spread = (28 * MINUTE_S, 0.5) if is_fast else (110 * MINUTE_S, 0.6)
        wanted_s = int(median_s * exp(spread * draws.normal()))
        plan.stop_reason = draws.weighted(_GOOD_STOPS[is_16])
    else:
        wanted_s = draws.between(60, 25 * MINUTE_S)
        plan.stop_reason = draws.weighted(_BAD_STOPS[is_16])
    power_w = _mean_power_w(draws, model)
    longest_s = min(room_s - 2 * _UNPLUGGING_S, _MOST_ENERGY_WH * HOUR_S // power_w)
    plan.charging_s = max(min(wanted_s, longest_s), MINUTE_S)
    plan.energy_wh = power_w * plan.charging_s // HOUR_S
    if is_fast and draws.chance(_HAS_SOC):
        plan.soc_pct = draws.between(8, 60)
    if plan.kind == BREAKS:
        plan.lingers_s = draws.between(HOUR_S, 8 * HOUR_S)
    elif plan.kind == CHARGES:
        idle_s = int(40 * MINUTE_S * exp(0.9 * draws.normal())) if not is_fast else 0
        idle_s = min(idle_s, room_s - 2 * _UNPLUGGING_S - plan.charging_s)
        if idle_s > MINUTE_S and draws.chance(_OVERSTAYS):
            plan.idle_s = idle_s
        if plan.mode == CACHED and draws.chance(_CONCURRENT):
            plan.token_status = "ConcurrentTx"
        if not is_16 and draws.chance(_UNMETERED):
            plan.energy_wh = None


def _mean_power_w(draws: Draws, model: Model) -> int:
    highest_w = min(int(model.power_kw * 1000), _HIGHEST_MEAN_W[model.is_fast])
    return int(highest_w * (0.35 + 0.6 * draws.uniform()))
