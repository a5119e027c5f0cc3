"""The raw driving and charging logs as an attacker cleans them."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ZONE = "Europe/Oslo"
# Per supplier: km per unit of distance, kW per unit of power, points per unit of SOC, clock.
SUPPLIERS = {
    "alpha": (1.0, 1.0, 1.0, "UTC"),
    "bravo": (1.609344, 0.001, 100.0, ZONE),
    "charlie": (1.0, 0.001, 1.0, "UTC"),
}
DAY_PERIODS = {"night": 0, "morning": 6, "afternoon": 11, "evening": 17}
BATTERY_BOUNDS_KWH = (50, 75)
PLACES = ("home", "depot", "public")
MAX_POWER_KW = 400
MAX_BATTERIES = 1.3
LONG_KM, LONG_MINUTES = 100, 90
MIN_CONSUMPTION_KM = 2
HUNGRY_SHARE = 0.1
FRAGMENT_PAUSE = pd.Timedelta(minutes=30)
SOC_TOLERANCE_PCT = 1.0
HAS_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


@dataclass(frozen=True)
class RawFeeds:
    """Delivered vehicles (ids as delivered in delivered_id), drives, charges, charging sessions.

    Drives and charges have one row per record in the order of their files; sessions are charges
    with their fragments merged. In charged, sessions that only a risen SOC shows are there, too:
    with their energy, and nothing else known. SOC in percent, energy in kWh, power in kW,
    distance in km.
    """

    vehicles: pd.DataFrame
    drives: pd.DataFrame
    charges: pd.DataFrame
    sessions: pd.DataFrame
    charged: pd.DataFrame


def normalised(text: str) -> str:
    """An id without padding, in upper case and composed characters."""
    return unicodedata.normalize("NFC", text).strip().upper()


def read_feeds(folder: Path) -> RawFeeds:
    """Read raw_telematics__*.csv of a folder; rows that can't be true are left out."""
    vehicles, drives, charges = (
        pd.read_csv(
            folder / f"raw_telematics__{name}.csv", dtype=str, keep_default_na=False, quotechar='"'
        ).map(str.strip, na_action="ignore")
        for name in ("vehicles", "drives", "charges")
    )
    vehicles = _vehicles(vehicles)
    drives = _with_vehicles(_records(drives), vehicles)
    charges = _with_vehicles(_records(charges), vehicles)
    charges = charges[~(charges["energy_kwh"] > MAX_BATTERIES * charges["battery_kwh"])]
    drives, sessions = _drives(drives), _sessions(charges, drives)
    charged = pd.concat([sessions, _inferred(sessions, drives)], ignore_index=True)
    return RawFeeds(vehicles, drives, charges, sessions, charged)


def _vehicles(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(
        delivered_id=rows["vehicle_id"],
        vehicle_id=rows["vehicle_id"].map(normalised),
        client_id=rows["client_id"].map(normalised).replace("", None),
        supplier=rows["supplier"].str.lower(),
        battery_kwh=pd.to_numeric(rows["battery_kwh"], errors="coerce"),
        battery_chemistry=rows["battery_chemistry"].str.upper(),
    )
    rows = rows[rows["vehicle_id"] != ""].drop_duplicates("vehicle_id", keep="last")
    return rows.reset_index(drop=True)


def _records(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one feed in one set of units, once each; texts that don't parse are NaN."""
    supplier = rows["supplier"].str.lower()
    rows = rows.assign(
        vehicle_id=rows["vehicle_id"].map(normalised), supplier=supplier, position=range(len(rows))
    )[supplier.isin(SUPPLIERS)]
    km, kw, points = (
        rows["supplier"].map({name: units[place] for name, units in SUPPLIERS.items()})
        for place in range(3)
    )
    for columns, factor in (
        (("odometer_start", "odometer_end", "odometer"), km),
        (("energy", "power"), kw),
        (("soc_start", "soc_end"), points),
    ):
        for column in rows.columns.intersection(columns):
            rows[column] = pd.to_numeric(rows[column], errors="coerce") * factor
    for column in ("started_at", "ended_at"):
        rows[column] = _instants(rows[column], rows["supplier"])
    socs = rows[["soc_start", "soc_end"]]
    is_possible = (
        (rows["vehicle_id"] != "")
        & rows["started_at"].notna()
        & ~(rows["ended_at"] < rows["started_at"])
        & ~((socs < 0) | (socs > 100)).any(axis=1)
    )
    if "power" in rows:
        is_possible &= ~(rows["power"] > MAX_POWER_KW)
    rows = rows[is_possible].drop_duplicates(["vehicle_id", "started_at"], keep="last")
    return rows.rename(
        columns={
            "soc_start": "soc_start_pct",
            "soc_end": "soc_end_pct",
            "energy": "energy_kwh",
            "power": "max_power_kw",
        }
    ).reset_index(drop=True)


def _instants(texts: pd.Series, suppliers: pd.Series) -> pd.Series:
    instants = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    zones = suppliers.map({name: units[3] for name, units in SUPPLIERS.items()})
    is_local = (zones == ZONE) & ~texts.str.contains(HAS_OFFSET)
    clock = instants[is_local].dt.tz_localize(None)
    instants[is_local] = clock.dt.tz_localize(
        ZONE, ambiguous=np.ones(len(clock), bool), nonexistent="NaT"
    ).dt.tz_convert("UTC")
    return instants


def _with_vehicles(rows: pd.DataFrame, vehicles: pd.DataFrame) -> pd.DataFrame:
    """Add what the vehicles say and the local month, day and period of the start."""
    known = vehicles[
        ["vehicle_id", "client_id", "vehicle_type", "region", "battery_kwh", "battery_chemistry"]
    ]
    rows = rows.merge(known, on="vehicle_id", how="left")
    local = rows["started_at"].dt.tz_convert(ZONE)
    starts = list(DAY_PERIODS.values())
    return rows.assign(
        month=local.dt.strftime("%Y-%m"),
        drive_date=local.dt.strftime("%Y-%m-%d"),
        weekday=local.dt.isocalendar().day.astype(int),
        day_period=np.array(list(DAY_PERIODS))[np.searchsorted(starts, local.dt.hour, "right") - 1],
        battery_class=[
            _battery_class(*both)
            for both in zip(rows["battery_chemistry"], rows["battery_kwh"], strict=True)
        ],
        duration_minutes=(rows["ended_at"] - rows["started_at"]).dt.total_seconds() / 60,
    )


def _battery_class(chemistry: str, kwh: float) -> str:
    if not isinstance(chemistry, str) or not kwh > 0:
        return "unknown"
    low, high = BATTERY_BOUNDS_KWH
    size = f"up to {low}" if kwh <= low else f"{low} to {high}" if kwh <= high else f"above {high}"
    return f"{chemistry}, {size} kWh"


def _drives(rows: pd.DataFrame) -> pd.DataFrame:
    distance = rows["odometer_end"] - rows["odometer_start"]
    soc_kwh = (rows["soc_start_pct"] - rows["soc_end_pct"]) / 100 * rows["battery_kwh"]
    rows = rows.assign(
        distance_km=distance,
        consumption_kwh_per_100km=rows["energy_kwh"].fillna(soc_kwh) / distance * 100,
        is_long=(distance > LONG_KM) | (rows["duration_minutes"] > LONG_MINUTES),
    )
    far_enough = rows["consumption_kwh_per_100km"].where(distance >= MIN_CONSUMPTION_KM)
    limits = far_enough.groupby(rows["month"]).transform("quantile", 1 - HUNGRY_SHARE)
    rows["is_hungry"] = (far_enough > limits).astype(float).where(far_enough.notna())
    return rows[~(distance < 0)].reset_index(drop=True)


def _sessions(charges: pd.DataFrame, drives: pd.DataFrame) -> pd.DataFrame:
    """Charges that continue one another as one row: no drive between, short pause, same SOC."""
    soc_kwh = (charges["soc_end_pct"] - charges["soc_start_pct"]) / 100 * charges["battery_kwh"]
    energy = charges["energy_kwh"].fillna(soc_kwh)
    estimated_end = charges["started_at"] + pd.to_timedelta(
        (energy / charges["max_power_kw"]).clip(0, 48).fillna(0), unit="h"
    )
    charges = charges.assign(
        energy_kwh=energy,
        until=charges["ended_at"].where(charges["ended_at"].notna(), estimated_end),
        is_charge=True,
    )
    stamps = ["vehicle_id", "started_at", "is_charge"]
    rows = pd.concat([charges, drives.assign(is_charge=False)[stamps]])
    rows = rows.sort_values(stamps, kind="stable")
    before = rows.groupby("vehicle_id").shift()
    pause = rows["started_at"] - before["until"]
    place = rows["place"].fillna("")
    continues = (
        rows["is_charge"]
        & before["is_charge"].eq(True)
        & pause.between(pd.Timedelta(0), FRAGMENT_PAUSE)
        & ((rows["soc_start_pct"] - before["soc_end_pct"]).abs() <= SOC_TOLERANCE_PCT)
        & ((place == before["place"]) | (place == "") | before["place"].fillna("").eq(""))
    )
    rows = rows.assign(session=(~continues).cumsum())[rows["is_charge"]]
    last = ("ended_at", "soc_end_pct")
    total = ("energy_kwh", "duration_minutes")
    merged = rows.groupby("session").agg(
        {
            column: "last"
            if column in last
            else (lambda values: values.sum(min_count=1))
            if column in total
            else "max"
            if column == "max_power_kw"
            else "first"
            for column in rows.columns.difference(["session", "is_charge"], sort=False)
        }
    )
    hours = merged["duration_minutes"] / 60
    return merged.assign(
        place=merged["place"].where(merged["place"].isin(PLACES), "unknown"),
        mean_power_kw=(merged["energy_kwh"] / hours).where(hours > 0),
        soc_change_pct=merged["soc_end_pct"] - merged["soc_start_pct"],
    ).reset_index(drop=True)


def _inferred(sessions: pd.DataFrame, drives: pd.DataFrame) -> pd.DataFrame:
    """Rises of SOC between two records, in the month in which the first of them began."""
    rows = pd.concat([sessions, drives], ignore_index=True)
    rows = rows.dropna(subset=["soc_start_pct", "soc_end_pct"])
    rows = rows.sort_values(["vehicle_id", "started_at"], kind="stable")
    rise = rows.groupby("vehicle_id")["soc_start_pct"].shift(-1) - rows["soc_end_pct"]
    told = ["vehicle_id", "client_id", "vehicle_type", "region", "battery_class"]
    told += ["battery_chemistry", "month"]
    rows = rows.assign(rise=rise)[rise > SOC_TOLERANCE_PCT]
    return rows[told].assign(
        place="unknown", energy_kwh=rows["rise"] / 100 * rows["battery_kwh"].clip(lower=0)
    )
