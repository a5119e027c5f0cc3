"""Which events are odd, and in which way: never two within three events of one vehicle."""

from collections.abc import Mapping

import numpy as np

from ev_charging.stateless_random import uniform
from ev_charging.telematics_feed.fleet import Vehicles
from ev_charging.telematics_feed.suppliers import of_each
from ev_charging.telematics_feed.world import Events

KINDS = (
    *("fragmented_charge", "missing_charge", "missing_drive"),
    *("repeated_row", "unit_slip", "soc_error", "odometer_error", "overlap"),
)
FRAGMENTED, MISSING_CHARGE, MISSING_DRIVE = range(3)
REPEATED, UNIT_SLIP, SOC_ERROR, ODOMETER_ERROR, OVERLAP = DAMAGE = range(3, len(KINDS))
NONE = -1

# Of the events that can be odd in that way.
USUAL_SHARES = dict(zip(KINDS, (0.04, 0.02, 0.01, *[0.003] * 5), strict=True))
DISTANCE = 4
MOST_PAUSES_S = 40 * 60

_OF_CHARGES = (FRAGMENTED, MISSING_CHARGE, REPEATED, UNIT_SLIP, SOC_ERROR, OVERLAP)
_OF_DRIVES = (MISSING_DRIVE, REPEATED, ODOMETER_ERROR)
_ROOM_S = MOST_PAUSES_S + 5 * 60
# Tenths of a point and kilometres by which something must change, so that it is missed.
_LEAST_FRAGMENTED, _LEAST_CHARGED, _LEAST_NET_RISE, _LEAST_FALL, _LEAST_KM = 100, 200, 50, 15, 3
_LEAST_DRIVE_S, _LEAST_CHARGE_S = 6 * 60, 10 * 60


class Neighbours:
    """The events before and after each event of the same vehicle."""

    def __init__(self, events: Events) -> None:
        """Look for them in events that are ordered by vehicle and time."""
        self._events = events

    def value(self, name: str, step: int) -> np.ndarray:
        """Return a column of the events `step` places later; of none that of the event itself."""
        return np.where(self.has(step), np.roll(self._events[name], -step), self._events[name])

    def has(self, step: int) -> np.ndarray:
        """Return whether the vehicle has an event `step` places later."""
        vehicle = self._events["vehicle"]
        there = np.roll(vehicle, -step) == vehicle
        if step > 0:
            there[-step:] = False
        else:
            there[:-step] = False
        return there


def oddities_of(
    events: Events, vehicles: Vehicles, seed: int, shares: Mapping[str, float]
) -> np.ndarray:
    """Return how each event is odd: an index into `KINDS`, or `NONE`.

    Args:
        events: what happened.
        vehicles: to whom.
        seed: of the random numbers.
        shares: share of each kind in the events that can be odd in that way.
    """
    possible = _possible(events, vehicles)
    place = uniform(seed, "oddity", vehicles.number[events["vehicle"]], events["started_at"])
    odd = np.full(len(place), NONE)
    for is_of_kind, kinds in (
        (events["is_charge"], _OF_CHARGES),
        (~events["is_charge"], _OF_DRIVES),
    ):
        edge = 0.0
        for kind in kinds:
            share = shares[KINDS[kind]]
            drawn = is_of_kind & (place >= edge) & (place < edge + share)
            odd[drawn & possible[kind]] = kind
            edge += share
    odd[_is_near_one_before(odd != NONE, events["vehicle"])] = NONE
    return odd


def is_near(odd: np.ndarray, vehicle: np.ndarray) -> np.ndarray:
    """Return whether an event is odd, or another one of the vehicle that is near it."""
    is_odd = odd != NONE
    after = _is_near_one_before(is_odd, vehicle)
    before = _is_near_one_before(is_odd[::-1], vehicle[::-1])[::-1]
    return is_odd | after | before


def _is_near_one_before(is_odd: np.ndarray, vehicle: np.ndarray) -> np.ndarray:
    place = np.arange(len(is_odd))
    last = np.maximum.accumulate(np.where(is_odd, place, -DISTANCE))
    before = np.append(-DISTANCE, last)[:-1]
    return (place - before < DISTANCE) & (vehicle[np.maximum(before, 0)] == vehicle)


def _possible(events: Events, vehicles: Vehicles) -> dict[int, np.ndarray]:
    """Return which events can be odd in which way, so that the logs show it."""
    near = Neighbours(events)
    index = events["vehicle"]
    seconds = events["ended_at"] - events["started_at"]
    change = events["soc_end"] - events["soc_start"]
    km = (events["odometer_end"] - events["odometer_start"]) * vehicles.km_per_tenth[index]
    has_both = near.has(-1) & near.has(1)
    follows_charge, precedes_charge = near.value("is_charge", -1), near.value("is_charge", 1)
    net_rise = near.value("soc_start", 1) - near.value("soc_end", -1)
    # A charge without odometer gets that of the drives around it, so one drive must be there.
    has_odometer = of_each("has_charge_odometer")[vehicles.supplier[index]]
    next_is_between_drives = near.has(2) & ~near.value("is_charge", 2) & ~follows_charge
    is_placed = has_odometer | ~precedes_charge | next_is_between_drives
    drive_before_s = near.value("ended_at", -1) - near.value("started_at", -1)
    anywhere = np.ones(len(index), dtype=bool)
    return {
        FRAGMENTED: (change >= _LEAST_FRAGMENTED)
        & (~near.has(1) | (near.value("started_at", 1) - events["ended_at"] >= _ROOM_S)),
        MISSING_CHARGE: has_both
        & ~follows_charge
        & (change >= _LEAST_CHARGED)
        & (net_rise >= _LEAST_NET_RISE),
        MISSING_DRIVE: has_both & (change <= -_LEAST_FALL) & (km >= _LEAST_KM) & is_placed,
        REPEATED: anywhere,
        UNIT_SLIP: anywhere,
        SOC_ERROR: anywhere,
        ODOMETER_ERROR: anywhere,
        OVERLAP: near.has(-1)
        & ~follows_charge
        & (drive_before_s >= _LEAST_DRIVE_S)
        & (seconds >= _LEAST_CHARGE_S),
    }
