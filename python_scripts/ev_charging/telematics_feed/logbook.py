"""What is logged of what happened: records, without what is missing and with charges in pieces."""

from dataclasses import dataclass

import numpy as np

from ev_charging.stateless_random import uniform
from ev_charging.telematics_feed.fleet import Vehicles
from ev_charging.telematics_feed.oddities import (
    FRAGMENTED,
    MISSING_CHARGE,
    MISSING_DRIVE,
    Neighbours,
    is_near,
)
from ev_charging.telematics_feed.suppliers import of_each
from ev_charging.telematics_feed.world import Events

# No value is below 0.
MISSING = -1
SESSION, DRIVE, LOSS, STANDING = range(4)
GAP_KINDS = ("inferred_session", "inferred_drive", "standby_loss", "standing")

_PAUSE_S = (60, 20 * 60)
_TOLERANCE = 10


@dataclass(frozen=True)
class Logbook:
    """What happened, and what is logged of it.

    Attributes:
        events: what happened, with `fragments` and `is_logged`; fragmented charges end later.
        records: rows of the logs: the columns of events, `event` (place of the event) and `piece`
            (from 0); `MISSING` where there is no value.
        gaps: what lies between two neighbouring records of a vehicle, fragments merged.
        found: events with a kind that the logs tell of: event, kind and reference (an instant).
    """

    events: Events
    records: Events
    gaps: Events
    found: Events


def logbook_of(events: Events, vehicles: Vehicles, odd: np.ndarray, seed: int) -> Logbook:
    """Return what is logged.

    Args:
        events: what happened.
        vehicles: to whom.
        odd: how each event is odd.
        seed: of the random numbers.
    """
    number = vehicles.number[events["vehicle"]]

    def drawn(channel: str, *keys: np.ndarray) -> np.ndarray:
        return uniform(seed, f"log {channel}", number, events["started_at"], *keys)

    is_fragmented = odd == FRAGMENTED
    fragments = np.where(is_fragmented, 2 + (drawn("fragments") < 0.3), 1)
    low, high = _PAUSE_S
    pauses = np.stack(
        [
            np.where(fragments > step, low + drawn("pause", np.array(step)) * (high - low), 0)
            for step in (1, 2)
        ]
    ).astype(np.int64)
    charged_s = events["ended_at"] - events["started_at"]
    events = events | {
        "ended_at": events["ended_at"] + pauses.sum(axis=0),
        "fragments": fragments,
        "is_logged": (odd != MISSING_CHARGE) & (odd != MISSING_DRIVE),
    }
    gaps = _gaps(events)
    records = _records(events, charged_s, pauses, drawn("piece"), drawn("piece power"))
    _leave_out(records, gaps, events, vehicles, odd, seed)
    return Logbook(events, records, gaps, _found(events, odd))


def _gaps(events: Events) -> Events:
    """Return the time between logged events, by what really happened in it."""
    logged = np.flatnonzero(events["is_logged"])
    before, after = logged[:-1], logged[1:]
    is_gap = events["vehicle"][before] == events["vehicle"][after]
    before, after = before[is_gap], after[is_gap]
    # Of two odd events one is logged, so there is one at the most in a gap.
    hides = after - before > 1
    hidden = events["is_charge"][np.where(hides, before + 1, before)]
    fall = events["soc_end"][before] - events["soc_start"][after]
    kind = np.where(fall > _TOLERANCE, LOSS, STANDING)
    kind = np.where(hides, np.where(hidden, SESSION, DRIVE), kind)
    return {
        "vehicle": events["vehicle"][before],
        "before": before,
        "after": after,
        "gap_started_at": events["ended_at"][before],
        "gap_ended_at": events["started_at"][after],
        "gap_kind": kind,
        "soc_start": events["soc_end"][before],
        "soc_end": events["soc_start"][after],
        "odometer_start": events["odometer_end"][before],
        "odometer_end": events["odometer_start"][after],
    }


def _records(
    events: Events,
    charged_s: np.ndarray,
    pauses: np.ndarray,
    share: np.ndarray,
    power_share: np.ndarray,
) -> Events:
    """Return one row per logged event, and one per fragment of a charge."""
    event = np.repeat(
        np.arange(len(charged_s)), np.where(events["is_logged"], events["fragments"], 0)
    )
    piece = np.arange(len(event)) - np.searchsorted(event, event)
    records = {name: events[name][event] for name in events if name != "is_logged"}
    count = records.pop("fragments")
    # The first piece is a third to two thirds of all, and others share the rest evenly.
    first = (1 + share[event]) / 3

    def part(total: np.ndarray, number: np.ndarray) -> np.ndarray:
        """Return how much of a total comes before a piece, in whole numbers."""
        rest = np.divide(number - 1, count - 1, out=np.zeros(len(count)), where=count > 1)
        reached = np.where(number == 0, 0, first + (1 - first) * rest)
        return np.where(number == count, total, np.floor(total * reached)).astype(np.int64)

    paused = np.cumsum(np.vstack([np.zeros_like(pauses[0]), pauses]), axis=0)[piece, event]
    start, seconds = records["started_at"], charged_s[event]
    records["ended_at"] = start + part(seconds, piece + 1) + paused
    records["started_at"] = start + part(seconds, piece) + paused
    for name in ("soc", "odometer"):
        low = records[f"{name}_start"]
        change = records[f"{name}_end"] - low
        records[f"{name}_start"], records[f"{name}_end"] = (
            low + part(change, number) for number in (piece, piece + 1)
        )
    energy = records["energy_wh"]
    records["energy_wh"] = part(energy, piece + 1) - part(energy, piece)
    # The largest power is that of the first piece.
    mean_w = energy / seconds * 3600
    spare_w = (records["max_power_w"] - mean_w) * (0.5 + 0.5 * power_share[event])
    lower = np.floor(mean_w + spare_w).astype(np.int64)
    records["max_power_w"] = np.where(piece == 0, records["max_power_w"], lower)
    return records | {"event": event, "piece": piece}


def _leave_out(
    records: Events, gaps: Events, events: Events, vehicles: Vehicles, odd: np.ndarray, seed: int
) -> None:
    """Take away the values that a supplier leaves out; what is odd and its neighbours stay."""
    event = records["event"]
    supplier = vehicles.supplier[records["vehicle"]]
    is_charge = records["is_charge"]
    is_plain = ~is_near(odd, events["vehicle"])[event]

    def loses(value: str) -> np.ndarray:
        place = uniform(
            *(seed, f"left out {value}", vehicles.number[records["vehicle"]], records["started_at"])
        )
        return place < of_each(f"without_{value}")[supplier]

    stands = _stands_around(gaps, len(odd))[event]
    without = {
        "energy_wh": ~of_each("has_energy")[supplier] | (loses("energy") & is_plain),
        "max_power_w": loses("power") & is_plain & is_charge,
        "ended_at": loses("end") & is_plain & is_charge,
        "soc_start": loses("soc") & is_plain & is_charge & stands,
        "place": loses("place") & is_charge,
        "odometer_start": ~of_each("has_charge_odometer")[supplier] & is_charge,
    }
    without["soc_end"] = without["soc_start"]
    for name, lost in without.items():
        records[name] = np.where(lost, MISSING, records[name])


def _stands_around(gaps: Events, count: int) -> np.ndarray:
    """Return whether SOC is the same before and after each event as at the records next to it."""
    stands = np.zeros((2, count), dtype=bool)
    is_even = gaps["soc_start"] == gaps["soc_end"]
    stands[0, gaps["after"]] = is_even
    stands[1, gaps["before"]] = is_even
    return stands.all(axis=0)


def _found(events: Events, odd: np.ndarray) -> Events:
    """Return what is odd without damage, with its instant in the logs."""
    event = np.flatnonzero((odd == FRAGMENTED) | (odd == MISSING_CHARGE) | (odd == MISSING_DRIVE))
    is_missing = odd[event] != FRAGMENTED
    ended_before = Neighbours(events).value("ended_at", -1)[event]
    reference = np.where(is_missing, ended_before, events["started_at"][event])
    return {"event": event, "kind": odd[event], "reference": reference}
