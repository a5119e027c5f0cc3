"""Logs of the seeds, rebuilt vehicle by vehicle by other means than the SQL."""

import math
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

OSLO = ZoneInfo("Europe/Oslo")
KM_PER_MILE = 1.609344
# factors of distance, power and SOC, and the clock of times without an offset
SUPPLIERS = {
    "alpha": (1, 1, 1, UTC),
    "bravo": (KM_PER_MILE, 0.001, 100, OSLO),
    "charlie": (1, 0.001, 1, UTC),
}
PLACES = {"home", "depot", "public"}
FIRST_INSTANT, LAST_INSTANT = datetime(2000, 1, 1), datetime(2027, 1, 1)
MAX_ENERGY_KWH, MAX_POWER_KW = 1.3 * 130, 1.2 * 400
MAX_GAP_MINUTES, SOC_TOLERANCE, KM_TOLERANCE = 30, 1.0, 1.0
MAX_SPEED_KMH, MAX_GAP_POWER_KW, ENERGY_TOLERANCE = 250, 400, 0.25
# SOC and odometer are sums of floats here
EPSILON = 1e-6

NUMBER = re.compile(r"-?\d+(\.\d+)?")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CLOCK_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class BadValue(ValueError):
    """A value that makes its row unusable."""


def number(text: str, factor: float, low: float, high: float) -> float | None:
    """A number in the unit of the warehouse, None where there is none."""
    if text.strip() in ("", "NA"):
        return None
    if not NUMBER.fullmatch(text.strip()) or not low <= float(text) * factor <= high:
        raise BadValue(text)
    return float(text) * factor


def instant(text: str, clock) -> datetime | None:
    """A time as UTC, None where there is none."""
    text = text.strip()
    if text in ("", "NA"):
        return None
    try:
        if INSTANT.fullmatch(text):
            found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
        elif CLOCK_TIME.fullmatch(text) and clock is not UTC:
            local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock)
            found = local.astimezone(UTC).replace(tzinfo=None)
        else:
            raise BadValue(text)
    except ValueError as error:
        raise BadValue(text) from error
    if not FIRST_INSTANT <= found < LAST_INSTANT:
        raise BadValue(text)
    return found


def name(text: str) -> str:
    """An id as it is compared."""
    return unicodedata.normalize("NFC", text.strip().upper())


def delivered(path: Path) -> pd.DataFrame:
    """The rows of a seed as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def read_vehicles(folder: Path) -> dict[str, dict]:
    """Vehicles by id, of several rows of one the last."""
    vehicles = {}
    for row in delivered(folder / "raw_telematics__vehicles.csv").itertuples():
        try:
            battery_kwh = number(row.battery_kwh, 1, 0.001, math.inf)
            registered = datetime.strptime(row.first_registered_on.strip(), "%Y-%m-%d").date()
        except ValueError:
            continue
        if name(row.vehicle_id) and row.supplier.strip() in SUPPLIERS:
            vehicles[name(row.vehicle_id)] = {
                "vehicle_type": row.vehicle_type.strip(),
                "battery_kwh": battery_kwh,
                "chemistry": row.battery_chemistry.strip(),
                "registered": registered,
            }
    return vehicles


def read_drives(folder: Path) -> dict[tuple[str, datetime], dict]:
    """Usable drives by vehicle and begin, repeated ones once."""
    drives = {}
    for row in delivered(folder / "raw_telematics__drives.csv").itertuples():
        try:
            km, kw, soc, clock = SUPPLIERS[row.supplier.strip()]
            drive = {
                "kind": "drive",
                "vehicle": name(row.vehicle_id),
                "start": instant(row.started_at, clock),
                "end": instant(row.ended_at, clock),
                "soc_start": number(row.soc_start, soc, 0, 100),
                "soc_end": number(row.soc_end, soc, 0, 100),
                "km_start": number(row.odometer_start, km, 0, math.inf),
                "km_end": number(row.odometer_end, km, 0, math.inf),
            }
            energy = number(row.energy, kw, 0, MAX_ENERGY_KWH)
        except (BadValue, KeyError):
            continue
        if None in drive.values() or not drive["vehicle"]:
            continue
        if drive["end"] > drive["start"] and drive["km_end"] >= drive["km_start"]:
            drives[drive["vehicle"], drive["start"]] = drive | {"energy": energy}
    return drives


def read_charges(folder: Path) -> dict[tuple[str, datetime], dict]:
    """Usable charges by vehicle and begin, repeated ones once."""
    charges = {}
    for row in delivered(folder / "raw_telematics__charges.csv").itertuples():
        try:
            km, kw, soc, clock = SUPPLIERS[row.supplier.strip()]
            charge = {
                "kind": "charge",
                "vehicle": name(row.vehicle_id),
                "start": instant(row.started_at, clock),
                "end": instant(row.ended_at, clock),
                "soc_start": number(row.soc_start, soc, 0, 100),
                "soc_end": number(row.soc_end, soc, 0, 100),
                "power": number(row.power, kw, 0, MAX_POWER_KW),
                "energy": number(row.energy, kw, 0, MAX_ENERGY_KWH),
                "place": row.place.strip() or None,
                "km_start": number(row.odometer, km, 0, 1e7),
            }
        except (BadValue, KeyError):
            continue
        if not charge["vehicle"] or charge["start"] is None:
            continue
        if charge["place"] not in {None, *PLACES}:
            continue
        if charge["end"] is None or charge["end"] >= charge["start"]:
            charges[charge["vehicle"], charge["start"]] = charge
    return charges


def hours_apart(first: datetime, last: datetime) -> float:
    """Hours from one time to another."""
    return (last - first).total_seconds() / 3600


def differs(first: float | None, second: float | None, tolerance: float) -> bool:
    """Whether two values are known and apart."""
    return None not in (first, second) and abs(second - first) > tolerance + EPSILON


def with_ends(logs: list[dict], battery_kwh: float | None) -> list[dict]:
    """The logs of a vehicle in order; a charge without an end gets one."""
    ordered = sorted(logs, key=lambda log: (log["start"], log["kind"]))
    for log, following in zip(ordered, [*ordered[1:], None], strict=True):
        log["is_estimated"] = log["end"] is None
        if log["end"] is not None:
            continue
        energy = log["energy"]
        if energy is None and battery_kwh and None not in (log["soc_start"], log["soc_end"]):
            energy = (log["soc_end"] - log["soc_start"]) / 100 * battery_kwh
        latest = following["start"] if following else None
        if energy is None or not log["power"]:
            log["end"] = latest or log["start"]
            continue
        seconds = round(max(energy, 0) / log["power"] * 3600)
        estimated = log["start"] + pd.Timedelta(seconds=seconds).to_pytimedelta()
        log["end"] = min(estimated, latest) if latest else estimated
    return ordered


def merged(logs: list[dict]) -> list[dict]:
    """Records: drives, and charges with all their fragments."""
    records, place, last = [], None, None
    for log in logs:
        if log["kind"] == "drive":
            records.append(log)
            place, last = None, log
            continue
        pause = None if last is None else hours_apart(last["end"], log["start"]) * 60
        if (
            last is not None
            and last["kind"] == "charge"
            and 0 <= pause <= MAX_GAP_MINUTES
            and not differs(last["soc_end"], log["soc_start"], SOC_TOLERANCE)
            and not differs(last["km_start"], log["km_start"], KM_TOLERANCE)
            and (place is None or log["place"] in (None, place))
        ):
            whole = records[-1]
            energies = [e for e in (whole["energy"], log["energy"]) if e is not None]
            powers = [p for p in (whole["power"], log["power"]) if p is not None]
            whole |= {
                "energy": sum(energies) if energies else None,
                "power": max(powers, default=None),
                "soc_end": log["soc_end"],
                "end": max(whole["end"], log["end"]),
                "is_estimated": whole["is_estimated"] or log["is_estimated"],
                "place": whole["place"] or log["place"],
                "charging_hours": whole["charging_hours"] + hours_apart(log["start"], log["end"]),
            }
        else:
            records.append(log | {"charging_hours": hours_apart(log["start"], log["end"])})
        place = log["place"] or place
        last = log
    return records


def put_odometers(records: list[dict]) -> None:
    """Give charges without an odometer that of the record before, or after an unlogged drive."""
    for record in records:
        if record["kind"] == "charge":
            record["km_end"] = record["km_start"]
    known = [record["km_start"] is not None for record in records]
    for place, record in enumerate(records):
        if known[place]:
            continue
        before = next((records[i]["km_end"] for i in range(place - 1, -1, -1) if known[i]), None)
        after = next(
            (records[i]["km_start"] for i in range(place + 1, len(records)) if known[i]), None
        )
        is_after_drive = False
        for i in range(place, 0, -1):
            first, second = records[i - 1]["soc_end"], records[i]["soc_start"]
            if differs(first, second, SOC_TOLERANCE) and second < first:
                is_after_drive = True
            if records[i - 1]["kind"] == "drive":
                break
        choices = (after, before) if is_after_drive else (before, after)
        odometer = next((km for km in choices if km is not None), None)
        record["km_start"] = record["km_end"] = odometer


def gap_kind(before: dict, after: dict, battery_kwh: float | None) -> str:
    """What happened between two neighbouring records."""
    duration = hours_apart(before["end"], after["start"])
    distance = rise = 0.0
    if None not in (before["km_end"], after["km_start"]):
        distance = after["km_start"] - before["km_end"]
    if None not in (before["soc_end"], after["soc_start"]):
        rise = after["soc_start"] - before["soc_end"]
    has_moved, has_risen = distance > KM_TOLERANCE + EPSILON, rise > SOC_TOLERANCE + EPSILON
    if (
        duration < 0
        or distance < -KM_TOLERANCE - EPSILON
        or (has_moved and distance > MAX_SPEED_KMH * duration)
        or (has_risen and rise / 100 * (battery_kwh or 130) > MAX_GAP_POWER_KW * duration)
    ):
        return "contradiction"
    if has_risen:
        return "inferred_session"
    if has_moved:
        return "inferred_drive"
    return "standby_loss" if rise < -SOC_TOLERANCE - EPSILON else "standing"


def rebuilt(folder: Path) -> dict[str, list[dict]]:
    """Records of each vehicle in order; all but the first have the kind of the gap before them."""
    vehicles, logs = read_vehicles(folder), {}
    for log in [*read_drives(folder).values(), *read_charges(folder).values()]:
        logs.setdefault(log["vehicle"], []).append(log)
    timelines = {}
    for vehicle, rows in sorted(logs.items()):
        battery_kwh = vehicles.get(vehicle, {}).get("battery_kwh")
        records = merged(with_ends(rows, battery_kwh))
        put_odometers(records)
        for before, after in zip(records, records[1:], strict=False):
            after["gap"] = gap_kind(before, after, battery_kwh)
        timelines[vehicle] = records
    return timelines


def sessions_of(records: list[dict], battery_kwh: float | None) -> list[dict]:
    """Logged and inferred charging sessions of a vehicle."""
    sessions = []
    drives = [place for place, record in enumerate(records) if record["kind"] == "drive"]
    for place, record in enumerate(records):
        if record.get("gap") == "inferred_session":
            before = records[place - 1]
            sessions.append(
                session(before["end"], before["soc_end"], record["soc_start"], battery_kwh)
                | {"completeness": "inferred"}
            )
        if record["kind"] == "drive":
            continue
        found = session(record["start"], record["soc_start"], record["soc_end"], battery_kwh)
        soc_energy = found["energy"]
        if record["energy"] is not None:
            found |= {"energy": record["energy"], "source": "delivered"}
        if not record["is_estimated"]:
            found["minutes"] = hours_apart(record["start"], record["end"]) * 60
            if record["charging_hours"] and found["energy"] is not None:
                found["mean_power"] = found["energy"] / record["charging_hours"]
        found |= {"max_power": record["power"], "place": record["place"] or "unknown"}
        around = [record.get("gap"), (records[place + 1 :] or [{}])[0].get("gap")]
        overlaps = any(
            other is not record
            and other["start"] < record["end"]
            and other["end"] > record["start"]
            for other in records
        )
        tolerance = ENERGY_TOLERANCE * abs(soc_energy or 0) + SOC_TOLERANCE / 100 * battery_kwh
        reasons = {
            "no_soc": None in (record["soc_start"], record["soc_end"]),
            "no_energy": record["energy"] is None,
            "no_end": record["is_estimated"],
            "no_drive_before": not drives or drives[0] > place or around[0] == "inferred_drive",
            "no_drive_after": not drives or drives[-1] < place or around[1] == "inferred_drive",
            "contradicts_timeline": overlaps
            or not {"contradiction", "inferred_session"}.isdisjoint(around),
            "energy_disagrees": None not in (record["energy"], soc_energy)
            and abs(record["energy"] - soc_energy) > tolerance,
        }
        reason = next((reason for reason, applies in reasons.items() if applies), None)
        completeness = "complete" if reason is None else "incomplete"
        sessions.append(found | {"completeness": completeness, "reason": reason})
    return sessions


def session(start: datetime, soc_start, soc_end, battery_kwh: float | None) -> dict:
    """What SOC says of a session."""
    change = energy = None
    if None not in (soc_start, soc_end):
        change = soc_end - soc_start
        energy = change / 100 * battery_kwh if battery_kwh and change >= 0 else None
    return {
        "start": start,
        "soc_start": soc_start,
        "soc_end": soc_end,
        "soc_change": change,
        "energy": energy,
        "source": None if energy is None else "soc",
        "reason": None,
        "minutes": None,
        "mean_power": None,
        "max_power": None,
        "place": "unknown",
    }


def on_the_clock(utc: datetime) -> datetime:
    """A UTC instant on the clock of the vehicles."""
    return utc.replace(tzinfo=UTC).astimezone(OSLO).replace(tzinfo=None)


def battery_class(vehicle: dict) -> str:
    """Chemistry and capacity of a vehicle."""
    if not vehicle.get("chemistry") or not vehicle.get("battery_kwh"):
        return "unknown"
    capacity = vehicle["battery_kwh"]
    size = "up to 50" if capacity <= 50 else "50 to 75" if capacity <= 75 else "above 75"
    return f"{vehicle['chemistry']}, {size} kWh"
