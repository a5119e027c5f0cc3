"""Prices of a feed file minute by minute, and what charging costs by them.

Nothing in here reads a warehouse or shares code with its models: tests compare the warehouse
with these figures. A minute is its number since 1970 in UTC, money and carbon are floats.
"""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from math import fsum
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from feed_figures import MWH_PER_KWH, instant

EPOCH = datetime(1970, 1, 1)
MINUTE = timedelta(minutes=1)
POWERS_KW = {"synthetic_3_6": 3.6, "synthetic_7_2": 7.2}


@dataclass(frozen=True)
class Interval:
    """A price from one minute to another (exclusive); None where the value is missing."""

    first: int
    end: int
    price: float | None
    carbon: float | None


def minute(instant: datetime) -> int:
    """Number of the minute in which a UTC instant lies."""
    return (instant - EPOCH) // MINUTE


def on_clock(number: int, clock: ZoneInfo) -> datetime:
    """Time on a clock at the beginning of a minute."""
    return (EPOCH + number * MINUTE).replace(tzinfo=UTC).astimezone(clock).replace(tzinfo=None)


def utc(text: str) -> datetime:
    """UTC instant of an ISO 8601 text; one without an offset is UTC."""
    stamp = datetime.fromisoformat(text)
    return stamp.astimezone(UTC).replace(tzinfo=None) if stamp.tzinfo else stamp


def number(text: str) -> float | None:
    """A number of the feed, None where it is missing."""
    return None if text in ("", "NA") else float(text)


def read_intervals(path: Path, zone: str, rejected: Collection[int] = ()) -> list[Interval]:
    """Intervals of a zone in order, of rows of one begin the last; each ends where the next begins.

    Rejected rows are numbered from 1 below the header.
    """
    rows = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row_number, row in enumerate(csv.DictReader(file), start=1):
            if row_number not in rejected and row["zone"] == zone:
                rows[minute(utc(row["starts_at"]))] = row
    begins = sorted(rows)
    return [
        Interval(
            begin,
            min(begin + int(rows[begin]["minutes"]), following),
            number(rows[begin]["eur_per_mwh"]),
            number(rows[begin]["g_co2_per_kwh"]),
        )
        for begin, following in pairwise([*begins, 10**12])
    ]


def by_minute(intervals: Iterable[Interval], value: str) -> dict[int, float]:
    """Price (EUR/MWh) or carbon (g/kWh) of every minute that has one."""
    return {
        number: getattr(interval, value)
        for interval in intervals
        if getattr(interval, value) is not None
        for number in range(interval.first, interval.end)
    }


def by_hour(minutes: dict[int, float]) -> dict[int, float]:
    """Mean of every full hour of UTC all of whose minutes have a value, by its first minute."""
    return {
        first: fsum(minutes[number] for number in range(first, first + 60)) / 60
        for first in {number - number % 60 for number in minutes}
        if all(number in minutes for number in range(first, first + 60))
    }


def hours_of_day(day: datetime, clock: ZoneInfo) -> int:
    """Real hours of a day on a clock."""
    begin, end = (
        midnight.replace(tzinfo=clock).astimezone(UTC)
        for midnight in (day, day + timedelta(days=1))
    )
    return (end - begin) // timedelta(hours=1)


def low_price_hours(
    hours: dict[int, float], clock: ZoneInfo, per_day: int
) -> dict[int, tuple[int, int, bool | None]]:
    """Rank in its local day, unpriced hours of that day, and whether it is a low-price hour.

    By the first minute of each priced hour; None where an unpriced hour might have been cheaper.
    """
    days = defaultdict(list)
    for first, price in hours.items():
        local = on_clock(first, clock)
        days[datetime(local.year, local.month, local.day)].append((round(price, 6), first))
    ranked = {}
    for day, priced in days.items():
        missing = hours_of_day(day, clock) - len(priced)
        for rank, (_, first) in enumerate(sorted(priced), start=1):
            is_low = True if rank + missing <= per_day else None
            ranked[first] = (rank, missing, False if rank > per_day else is_low)
    return ranked


def connections(reports: pd.DataFrame) -> list[tuple[int, int | None, float]]:
    """Minutes of plug-in and plug-out (None where it is open) and kWh of each charging report.

    In the repeated autumn hour the plug-in is the one from which the connection lasts as long as
    `read_reports` says.
    """
    found = []
    for row in reports.itertuples():
        start = row.plugged_in.to_pydatetime()
        if pd.isna(row.plugged_out):
            found.append((minute(instant(start)), None, row.energy / MWH_PER_KWH))
            continue
        end = row.plugged_out.to_pydatetime()
        begin = next(
            instant(start, fold)
            for fold, end_fold in product((0, 1), repeat=2)
            if instant(end, end_fold) - instant(start, fold) == row.connected
        )
        found.append((minute(begin), minute(begin + row.connected), row.energy / MWH_PER_KWH))
    return found


def fill(minutes: Iterable[int], energy_kwh: float, power_kw: float) -> dict[int, float]:
    """Energy per minute when the minutes are filled in their order until the energy is in."""
    filled = {}
    for number in minutes:
        taken = min(power_kw / 60, energy_kwh)
        if taken <= 0:
            break
        filled[number] = taken
        energy_kwh -= taken
    return filled


def session_costs(
    plugged_in: int, plugged_out: int, energy_kwh: float, power_kw: float, hours: dict[int, float]
) -> tuple[float, float] | None:
    """Value x energy when charged at once, and the lowest possible; None where it can't be said.

    `hours` is the value of each hour by its first minute. Units: those of the value x kWh.
    """
    connected = range(plugged_in, plugged_out)
    if energy_kwh > power_kw / 60 * len(connected) + 1e-9:
        return None
    if not all(number - number % 60 in hours for number in connected):
        return None
    cheapest_first = sorted(connected, key=lambda number: hours[number - number % 60])
    at_once, cheapest = (
        fsum(
            kwh * hours[number - number % 60]
            for number, kwh in fill(order, energy_kwh, power_kw).items()
        )
        for order in (connected, cheapest_first)
    )
    return at_once, cheapest
