"""Damage done to the logs, and where."""

import numpy as np

from ev_charging.stateless_random import uniform
from ev_charging.telematics_feed.fleet import FULL, Vehicles
from ev_charging.telematics_feed.logbook import MISSING, Logbook
from ev_charging.telematics_feed.oddities import (
    DAMAGE,
    ODOMETER_ERROR,
    OVERLAP,
    REPEATED,
    SOC_ERROR,
    UNIT_SLIP,
)
from ev_charging.telematics_feed.world import Events

_SOC_ERROR = (150, 300)
_ODOMETER_ERROR_KM, _LEAST_ERROR_KM = (-500, 900), 50
_OVERLAP = (0.2, 0.8)
_SLIP = 1000


def damaged(log: Logbook, vehicles: Vehicles, odd: np.ndarray, seed: int) -> tuple[Events, Events]:
    """Return the records with damage in them, and which events were damaged.

    Args:
        log: what is logged.
        vehicles: of whom.
        odd: how each event is odd.
        seed: of the random numbers.

    Returns:
        The records, and what was done: event, kind and reference (the begin as delivered).
    """
    records = {name: values.copy() for name, values in log.records.items()}
    kind = odd[records["event"]]
    key = vehicles.number[records["vehicle"]], records["started_at"].copy()

    def drawn(channel: str, row: np.ndarray) -> np.ndarray:
        return uniform(seed, f"damage {channel}", *(part[row] for part in key))

    _slip_units(records, np.flatnonzero(kind == UNIT_SLIP))
    row = np.flatnonzero(kind == SOC_ERROR)
    _miss_soc(records, row, drawn("soc", row))
    row = np.flatnonzero(kind == ODOMETER_ERROR)
    _miss_odometer(records, row, drawn("odometer", row), vehicles)
    row = np.flatnonzero(kind == OVERLAP)
    _overlap(records, row, drawn("overlap", row), log)

    row = np.flatnonzero(np.isin(kind, DAMAGE))
    done = {
        "event": records["event"][row],
        "kind": kind[row],
        "reference": records["started_at"][row],
    }
    rows = np.sort(np.append(np.arange(len(kind)), np.flatnonzero(kind == REPEATED)))
    return {name: values[rows] for name, values in records.items()}, done


def _slip_units(records: Events, row: np.ndarray) -> None:
    """Deliver power and energy of charges a thousand times as large."""
    for name in ("max_power_w", "energy_wh"):
        values = records[name][row]
        records[name][row] = np.where(values == MISSING, MISSING, values * _SLIP)


def _miss_soc(records: Events, row: np.ndarray, place: np.ndarray) -> None:
    """Deliver another SOC at the end of charges, within the bounds of a battery."""
    low, high = _SOC_ERROR
    error = low + (place * 2 % 1 * (high - low)).astype(np.int64)
    soc = records["soc_end"][row]
    is_above = np.where(place < 0.5, soc + error <= FULL, soc - error < 0)
    records["soc_end"][row] = soc + np.where(is_above, error, -error)


def _miss_odometer(records: Events, row: np.ndarray, place: np.ndarray, vehicles: Vehicles) -> None:
    """Deliver another odometer at both ends of drives."""
    low, high = _ODOMETER_ERROR_KM
    error_km = low + place * (high - low)
    error_km += np.where(error_km < 0, -_LEAST_ERROR_KM, _LEAST_ERROR_KM)
    error_km = np.clip(error_km, low, high)
    error = (error_km / vehicles.km_per_tenth[records["vehicle"][row]]).astype(np.int64)
    error = np.where(records["odometer_start"][row] + error < 0, -error, error)
    for name in ("odometer_start", "odometer_end"):
        records[name][row] += error


def _overlap(records: Events, row: np.ndarray, place: np.ndarray, log: Logbook) -> None:
    """Stamp charges earlier, so that they begin in the drive before them."""
    low, high = _OVERLAP
    before = records["event"][row] - 1
    begin, end = (log.events[name][before] for name in ("started_at", "ended_at"))
    charge_s = records["ended_at"][row] - records["started_at"][row]
    longest = np.minimum(end - begin, charge_s)
    inside = np.round((low + place * (high - low)) * longest).astype(np.int64)
    shift = records["started_at"][row] - (end - inside)
    for name in ("started_at", "ended_at"):
        records[name][row] -= shift
