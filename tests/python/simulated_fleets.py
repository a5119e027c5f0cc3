"""Small simulated fleets for the tests, each run once."""

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ev_charging.market.prices import hourly_prices
from ev_charging.simulation.archetypes import Archetype, read_archetypes
from ev_charging.simulation.simulator import Fleet, FleetConfig

ARCHETYPES_FILE = Path(__file__).parents[2] / "seeds" / "reference" / "charging_archetypes.csv"
TIME_ZONE = "Europe/Oslo"
START, DAYS, USERS = date(2024, 10, 14), 21, 300
TABLES = ("telemetry", "plug_events", "trips", "dispatches", "session_truth")


@cache
def archetypes() -> list[Archetype]:
    return read_archetypes(ARCHETYPES_FILE)


@cache
def prices() -> pd.DataFrame:
    return hourly_prices("NO3", date(2024, 1, 1), 366, 42)


@cache
def simulated(**options) -> tuple[Fleet, dict[str, pd.DataFrame]]:
    """Run a fleet across the autumn's clock change; return it and its tables."""
    config = FleetConfig(**{"users": USERS, "days": DAYS, "start": START, **options})
    fleet = Fleet(config, archetypes(), prices())
    days = list(fleet.days())
    tables = {
        name: pd.concat([pd.DataFrame(day[name]) for day in days if name in day])
        for name in TABLES
        if any(name in day for day in days)
    }
    return fleet, tables


def stays_with_users(**options) -> pd.DataFrame:
    """Return the true stays that ended in the run, each with what is known of its driver."""
    fleet, tables = simulated(**options)
    stays = tables["session_truth"].merge(pd.DataFrame(fleet.users()), on="user")
    return stays[stays["plugged_out_at"] > 0].reset_index(drop=True)


def local(instants: pd.Series) -> pd.Series:
    """Return instants in seconds on the fleet's clock, by pandas."""
    return pd.to_datetime(instants, unit="s", utc=True).dt.tz_convert(TIME_ZONE)


def half_hour_power_kw(telemetry: pd.DataFrame) -> pd.Series:
    """Return the fleet's mean power per half-hour (UTC)."""
    half_hours = telemetry["starts_at"] // 1800
    return telemetry.groupby(half_hours)["import_wh"].sum() * 2 / 1000


def cost_eur(telemetry: pd.DataFrame) -> float:
    """Return what the energy cost, at the price of the hour an interval lies in."""
    price = prices().set_index(prices()["starts_at"].to_numpy("datetime64[s]").astype(np.int64))
    eur_per_mwh = (telemetry["starts_at"] // 3600 * 3600).map(price["eur_per_mwh"])
    return float((telemetry["import_wh"] / 1e6 * eur_per_mwh).sum())
