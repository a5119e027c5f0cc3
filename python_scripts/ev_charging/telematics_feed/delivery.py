"""A part of the vehicles from what happens to the rows of feeds and truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from ev_charging.simulation.clock import LocalClock
from ev_charging.stateless_random import uniform
from ev_charging.telematics_feed.charging import PLACES
from ev_charging.telematics_feed.damage import damaged
from ev_charging.telematics_feed.fleet import REGIONS, Vehicles, vehicles_of
from ev_charging.telematics_feed.logbook import GAP_KINDS, MISSING, logbook_of
from ev_charging.telematics_feed.oddities import KINDS, USUAL_SHARES, oddities_of
from ev_charging.telematics_feed.suppliers import of_each
from ev_charging.telematics_feed.tables import (
    BLANK_BEFORE,
    BLANKS_AFTER,
    LOWER_CASE,
    PLAIN,
    Columns,
)
from ev_charging.telematics_feed.world import TIME_ZONE, Events, events_of

# Shares of ids in lower case, with a blank before them, and with blanks after them.
_ODD_IDS = np.cumsum((0.02, 0.01, 0.01))
_ID_FORMS = np.array((LOWER_CASE, BLANK_BEFORE, BLANKS_AFTER, PLAIN))


@dataclass(frozen=True)
class Run:
    """What a run of the telematics source consists of.

    Attributes:
        vehicles: number of vehicles.
        first_day: first day, on the clock of `TIME_ZONE`.
        days: number of days.
        seed: seed of the random numbers.
        is_damaged: whether the logs are damaged.
        shares: share of each kind of oddity in the events that can be odd in that way.
    """

    vehicles: int
    first_day: date
    days: int
    seed: int = 42
    is_damaged: bool = True
    shares: Mapping[str, float] = field(default_factory=lambda: USUAL_SHARES)


def delivered(run: Run, numbers: range) -> dict[str, Columns]:
    """Return the rows of all feeds and of the truth of some vehicles of a run, by table."""
    vehicles = vehicles_of(numbers, run.seed, run.first_day)
    clock = LocalClock(TIME_ZONE, run.first_day, run.days)
    events = events_of(vehicles, clock, run.first_day, run.days, run.seed)
    odd = oddities_of(events, vehicles, run.seed, run.shares)
    log = logbook_of(events, vehicles, odd, run.seed)
    records, found = log.records, log.found
    if run.is_damaged:
        records, done = damaged(log, vehicles, odd, run.seed)
        found = {name: np.concatenate([found[name], done[name]]) for name in found}
    happened = _named(log.events, vehicles)
    rows = _named(records, vehicles) | _as_shown(records, vehicles, clock, run.seed)
    rows = _ordered(rows, "started_at")
    return {
        "telematics__vehicles": _vehicle_rows(vehicles, run.seed),
        "telematics__drives": _where(rows, ~rows["is_charge"]),
        "telematics__charges": _where(rows, rows["is_charge"]),
        "telematics__injected_damage": _damage_rows(found, log.events, vehicles),
        "truth_drives": _where(happened, ~happened["is_charge"]),
        "truth_sessions": _where(happened, happened["is_charge"]),
        "truth_gaps": _named(log.gaps, vehicles)
        | {"gap_kind": pd.Categorical.from_codes(log.gaps["gap_kind"], GAP_KINDS)},
    }


def _vehicle_rows(vehicles: Vehicles, seed: int) -> Columns:
    return {
        "vehicle_id": vehicles.vehicle_id,
        "client_id": vehicles.client_id,
        "id_form": _id_forms(seed, vehicles.number, np.zeros_like(vehicles.number)),
        "supplier": vehicles.supplier,
        "vehicle_type": vehicles.of_type("name"),
        "battery_wh": vehicles.of_type("battery_wh"),
        "battery_chemistry": vehicles.of_type("chemistry"),
        "region": np.array(REGIONS)[vehicles.region],
        "registered_day": vehicles.registered_day,
    }


def _damage_rows(found: Events, events: Events, vehicles: Vehicles) -> Columns:
    vehicle = events["vehicle"][found["event"]]
    rows = {
        "vehicle": vehicle,
        "vehicle_id": pd.Categorical.from_codes(vehicle, vehicles.vehicle_id),
        "damage_kind": pd.Categorical.from_codes(found["kind"], KINDS),
        "reference": found["reference"],
    }
    return _ordered(rows, "reference")


def _named(rows: Events, vehicles: Vehicles) -> Columns:
    """Return rows with the names of their vehicle, its supplier, and of the place."""
    named = rows | {
        "vehicle_id": pd.Categorical.from_codes(rows["vehicle"], vehicles.vehicle_id),
        "supplier": vehicles.supplier[rows["vehicle"]],
    }
    if "place" in rows:
        named["place"] = pd.Categorical.from_codes(rows["place"], PLACES)
    return named


def _as_shown(records: Events, vehicles: Vehicles, clock: LocalClock, seed: int) -> Columns:
    """Return the times that the supplier shows, and how it writes the id of the vehicle."""
    is_local = of_each("is_local")[vehicles.supplier[records["vehicle"]]]
    shown = {
        f"{name}_shown": np.where(
            is_local & (records[f"{name}_at"] != MISSING),
            clock.wall(records[f"{name}_at"]),
            records[f"{name}_at"],
        )
        for name in ("started", "ended")
    }
    number = vehicles.number[records["vehicle"]]
    return shown | {"id_form": _id_forms(seed, number, records["started_at"])}


def _id_forms(seed: int, number: np.ndarray, instant: np.ndarray) -> np.ndarray:
    place = uniform(seed, "id form", number, instant)
    return _ID_FORMS[np.searchsorted(_ODD_IDS, place, "right")]


def _ordered(rows: Columns, instant: str) -> Columns:
    """Return rows in order of time; those of a vehicle at one instant stay together."""
    return _taken(rows, np.lexsort((rows["vehicle"], rows[instant])))


def _where(rows: Columns, condition: np.ndarray) -> Columns:
    return _taken(rows, np.flatnonzero(condition))


def _taken(rows: Columns, place: np.ndarray) -> Columns:
    return {name: values[place] for name, values in rows.items()}
