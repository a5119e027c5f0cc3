"""Releases as they must not be: a blameless one, made of the raw feeds, with one sin each."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from attacks import MIN_VEHICLES
from attacks.cells import by_vehicle, weakness
from attacks.classes import CLASSES, charge_classes
from attacks.feeds import PLACES, RawFeeds
from attacks.releases import PSEUDONYM, Release

Pseudonym = Callable[[str], str]
PERIOD = "2025-06"
ENERGY_STEP_KWH = 50
QUARTILES = {"p25": 0.25, "median": 0.5, "p75": 0.75}
RECORDS = [PSEUDONYM, *CLASSES]
EXACT = [PSEUDONYM, "soc_start_pct", "soc_end_pct", "max_power_kw"]


def release(
    partner: str = "grid_operator", period: str = PERIOD, epoch: str = "1", **tables: pd.DataFrame
) -> Release:
    """A release of some tables, whose values become texts as they stand."""
    return Release(
        partner,
        period,
        epoch,
        {
            extract: table.map(lambda value: "" if pd.isna(value) else str(value))
            for extract, table in tables.items()
        },
    )


def keyed(key: str) -> Pseudonym:
    """Pseudonyms by a key that nobody guesses."""
    secret = hashlib.sha512(f"{key} of the tests, long and never written down".encode()).digest()
    return lambda one: hmac.digest(secret, one.encode(), "sha256").hex()[:32]


def shared_records(feeds: RawFeeds, pseudonym: Pseudonym) -> pd.DataFrame:
    """The most common kind of charge, once for every vehicle that has it: nobody stands out."""
    rows = classed_records(feeds, pseudonym)
    commonest = rows.groupby(RECORDS[1:]).size().idxmax()
    return rows[(rows[RECORDS[1:]] == list(commonest)).all(axis=1)].reset_index(drop=True)


def classed_records(feeds: RawFeeds, pseudonym: Pseudonym) -> pd.DataFrame:
    """All kinds of charges of each vehicle, in classes."""
    classes = charge_classes(feeds.sessions)
    names = classes["vehicle_id"].map(pseudonym)
    return _sorted(classes.assign(**{PSEUDONYM: names})[RECORDS].drop_duplicates())


def exact_records(feeds: RawFeeds, pseudonym: Pseudonym) -> pd.DataFrame:
    """All charges of each vehicle as they are in the raw feeds."""
    known = feeds.sessions.dropna(subset=EXACT[1:])
    return _sorted(
        known.assign(**{PSEUDONYM: known["vehicle_id"].map(pseudonym)})[EXACT].drop_duplicates()
    )


def energy_by(key: str, feeds: RawFeeds, cells: list[str] | None = None) -> pd.DataFrame:
    """Energy charged per class of a column, rounded; with cells, only of these."""
    sums = feeds.charged.groupby(["month", key])["energy_kwh"].sum().reset_index()
    sums = sums[sums["month"] == PERIOD]
    if cells is not None:
        sums = sums[sums[key].isin(cells)]
    return _rounded(sums)


def energy_of_all(feeds: RawFeeds, key: str = "battery_class") -> pd.DataFrame:
    """Energy charged by all vehicles."""
    month = feeds.charged[feeds.charged["month"] == PERIOD]
    return _rounded(
        pd.DataFrame({"month": [PERIOD], key: ["all"], "energy_kwh": [month["energy_kwh"].sum()]})
    )


def consumption_with_rest(feeds: RawFeeds) -> pd.DataFrame:
    """Quartiles and hungry drives of each type, and of those that are too rare together."""
    month = feeds.drives[feeds.drives["month"] == PERIOD]
    is_rare = month.groupby("vehicle_type")["vehicle_id"].transform("nunique") < MIN_VEHICLES
    types = month["vehicle_type"].mask(is_rare, "other")
    figures = {
        name: {
            f"consumption_{quartile}_kwh_per_100km": round(
                by_vehicle(some, "consumption_kwh_per_100km").quantile(part)
            )
            for quartile, part in QUARTILES.items()
        }
        | {"energy_hungry_drives_share_pct": 5 * round(20 * by_vehicle(some, "is_hungry").mean())}
        for name, some in month.groupby(types)
    }
    table = pd.DataFrame.from_dict(figures, orient="index").rename_axis("vehicle_type")
    return table.reset_index().assign(month=PERIOD)


def consumption(feeds: RawFeeds) -> pd.DataFrame:
    """The same with nothing but the median where types are merged."""
    table = consumption_with_rest(feeds)
    figures = table.columns.difference(
        ["vehicle_type", "consumption_median_kwh_per_100km", "month"]
    )
    return table.assign(
        **{
            name: table[name].astype(object).mask(table["vehicle_type"] == "other")
            for name in figures
        }
    )


def figures_of_evenings(feeds: RawFeeds) -> pd.DataFrame:
    """Median distance of the evenings on which enough vehicles of enough clients drove."""
    keys = ["month", "drive_date", "weekday", "day_period"]
    drives = feeds.drives[feeds.drives["day_period"] == "evening"]
    cells = [
        dict(zip(keys, cell, strict=True))
        | {"median_distance_km": int(some["distance_km"].median() / 5 + 0.5) * 5}
        for cell, some in drives.groupby(keys)
        if weakness(some) is None
    ]
    return pd.DataFrame(cells)


def all_but_rarest(key: str, feeds: RawFeeds) -> list[str]:
    """Values of a column, without the one that fewest vehicles have."""
    vehicles = feeds.charged.groupby(key)["vehicle_id"].nunique()
    return sorted(vehicles.index.drop(vehicles.idxmin()))


def with_giant(feeds: RawFeeds, unit: str) -> RawFeeds:
    """The feeds with one vehicle or client whose charges are a thousand times as large."""
    charged = feeds.charged
    # The client with most vehicles: no vehicle of it is a giant by itself.
    vehicles = charged.groupby("client_id")["vehicle_id"].nunique()
    giant = vehicles.idxmax() if unit == "client_id" else charged[unit].min()
    factor = np.where(charged[unit] == giant, 1000, 1)
    return replace(feeds, charged=charged.assign(energy_kwh=charged["energy_kwh"] * factor))


def with_places_of_classes(feeds: RawFeeds, classes: int, strays: int = 0) -> RawFeeds:
    """The feeds with as many places as battery classes for these and one vehicle of the others.

    Strays are charges of the classes, the smallest ones, that took place elsewhere.
    """
    charged = feeds.charged
    is_class = charged["battery_class"].isin(commonest_batteries(feeds, classes))
    energy = charged[~is_class].groupby("vehicle_id")["energy_kwh"].sum()
    is_inside = is_class | (charged["vehicle_id"] == energy.idxmax())
    outside = charged[is_class & (charged["energy_kwh"] > 0)].nsmallest(strays, "energy_kwh").index
    is_inside &= ~charged.index.isin(outside)
    places = np.array(PLACES)[np.arange(len(charged)) % classes]
    return replace(feeds, charged=charged.assign(place=np.where(is_inside, places, "unknown")))


def commonest_batteries(feeds: RawFeeds, classes: int) -> list[str]:
    """The battery classes that most vehicles have."""
    vehicles = feeds.charged.groupby("battery_class")["vehicle_id"].nunique()
    return vehicles.nlargest(classes).index.tolist()


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    steps = (table["energy_kwh"] / ENERGY_STEP_KWH + 0.5) // 1
    return table.assign(energy_kwh=(steps * ENERGY_STEP_KWH).astype(int)).reset_index(drop=True)


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(table.columns.tolist()).reset_index(drop=True)
