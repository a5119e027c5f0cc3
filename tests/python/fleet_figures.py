"""The figures of simulated fleets, second by second and car by car, by other means than the SQL."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

HALF_HOUR = timedelta(minutes=30)
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Stay:
    """One row of int_simulator__stays."""

    session_id: str
    plugged_in_at: datetime
    plugged_out_at: datetime | None
    ended_at: datetime
    skew: timedelta
    delivered_plugged_in_at: datetime
    has_unit_slip: bool
    soc_start_pct: float | None
    # of the registers: import and export; None where they don't tell
    register_kwh: tuple[float, float] | None


@dataclass
class Car:
    """A driver of a run with all that was delivered of the car, stamps and energy put right."""

    run_id: str
    user_id: str
    archetype: str
    zone: ZoneInfo
    charger_kw: float
    battery_kwh: float
    target_soc_pct: float
    reserve_soc_pct: float
    stays: list[Stay] = field(default_factory=list)
    # begin, end, import kWh, export kWh, is charging
    intervals: list[tuple] = field(default_factory=list)
    # instant, SOC
    readings: list[tuple[datetime, float]] = field(default_factory=list)

    @cached_property
    def sorted_readings(self) -> list[tuple[datetime, float]]:
        """Readings in order of time, of those in one instant the highest last."""
        return sorted(self.readings)

    def soc_at(self, instant: datetime) -> float | None:
        """SOC of the latest reading at or before an instant."""
        place = bisect_right(self.sorted_readings, (instant, 101.0))
        return self.sorted_readings[place - 1][1] if place else None

    def stay_of(self, delivered_at: datetime, with_end: bool) -> Stay | None:
        """The stay that a stamp lies in, as the clock of the car said it."""
        for stay in self.stays:
            end = stay.ended_at - stay.skew
            begin = stay.delivered_plugged_in_at
            if begin <= delivered_at < end or (with_end and delivered_at == end):
                return stay
        return None

    def gap_kwh(self, stay: Stay, begin: datetime, end: datetime) -> tuple[float, float] | None:
        """Import and export of a stay that no interval tells, as far as in a span of time.

        None where intervals tell all of the span, not a number where the registers don't tell.
        """
        inside = [row for row in self.intervals if stay.plugged_in_at <= row[0] < stay.ended_at]

        def untold_s(first: datetime, last: datetime) -> float:
            told_s = sum(_overlap_s(first, last, *row[:2]) for row in inside)
            return _overlap_s(first, last, stay.plugged_in_at, stay.ended_at) - told_s

        here_s = untold_s(begin, end)
        if here_s <= 1:
            return None
        if stay.register_kwh is None:
            return (np.nan, np.nan)
        share = here_s / untold_s(stay.plugged_in_at, stay.ended_at)
        told = (sum(row[2] for row in inside), sum(row[3] for row in inside))
        return tuple(
            max(whole - part, 0.0) * share
            for whole, part in zip(stay.register_kwh, told, strict=True)
        )

    def half_hour(self, begin: datetime) -> dict:
        """Row of int_simulator__car_half_hours but for prices."""
        end = begin + HALF_HOUR
        connected_s = sum(_overlap_s(begin, end, s.plugged_in_at, s.ended_at) for s in self.stays)
        energies = [
            (imported * share, exported * share)
            for first, last, imported, exported, _ in self.intervals
            if (share := _overlap_s(begin, end, first, last) / (last - first).total_seconds())
        ]
        gaps = [gap for stay in self.stays if (gap := self.gap_kwh(stay, begin, end)) is not None]
        is_known = all(np.isfinite(gap).all() for gap in gaps)
        imported_kwh, exported_kwh = (
            [sum(column) for column in zip((0.0, 0.0), *energies, *gaps, strict=True)]
            if is_known
            else (None, None)
        )
        local = begin.replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)
        return {
            "run_id": self.run_id,
            "user_id": self.user_id,
            "half_hour_starts_at": begin,
            "archetype": self.archetype,
            "half_hour_local_at": local,
            "half_hour_of_day": 2 * local.hour + local.minute // 30,
            "connected_minutes": connected_s / 60,
            "import_kwh": imported_kwh,
            "export_kwh": exported_kwh,
            "soc_pct": self.soc_at(begin),
            "target_soc_pct": self.target_soc_pct,
            "is_connected": any(s.plugged_in_at <= begin < s.ended_at for s in self.stays),
            "has_missing_interval": bool(gaps),
            "is_charging": any(
                first <= begin < last and is_charging
                for first, last, _, _, is_charging in self.intervals
            ),
        }


def _overlap_s(begin: datetime, end: datetime, other: datetime, other_end: datetime) -> float:
    return max((min(end, other_end) - max(begin, other)).total_seconds(), 0.0)


def half_hour_before(instant: datetime) -> datetime:
    """The half-hour of UTC that an instant lies in."""
    return instant.replace(minute=instant.minute // 30 * 30, second=0, microsecond=0)


def read_cars(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Car]:
    """Listed drivers of all runs with what was accepted of their feeds, by run and user."""
    cars = {
        (row[0], row[1]): Car(row[0], row[1], row[2], ZoneInfo(row[3]), *map(float, row[4:]))
        for row in connection.execute(
            "select run_id, user_id, archetype, time_zone, charger_kw, battery_kwh, "
            "target_soc_pct, reserve_soc_pct from staging.stg_simulator__users"
        ).fetchall()
    }

    def rows(query: str):
        for run, user, *values in connection.execute(query).fetchall():
            if (run, user) in cars:
                yield cars[run, user], values

    for car, (skew_s, *values, slip, soc, source, imported, exported) in rows(
        "select run_id, user_id, skew_seconds, session_id, plugged_in_at, plugged_out_at, "
        "ended_at, delivered_plugged_in_at, has_unit_slip, soc_start_pct, energy_source, "
        "energy_kwh, exported_kwh "
        "from intermediate.int_simulator__stays where ended_at is not null"
    ):
        begin = values.pop()
        registers = (float(imported), float(exported)) if source == "registers" else None
        skew = timedelta(seconds=skew_s)
        car.stays.append(Stay(*values, skew, begin, slip, _number(soc), registers))
    for car, (first, last, imported, exported, soc, state) in rows(
        "select run_id, user_id, starts_at, ends_at, import_kwh, export_kwh, soc_pct, state "
        "from staging.stg_simulator__telemetry"
    ):
        stay = car.stay_of(first, with_end=False)
        skew = stay.skew if stay else timedelta()
        unit = 0.001 if stay and stay.has_unit_slip else 1.0
        car.intervals.append(
            (
                first + skew,
                last + skew,
                float(imported) * unit,
                float(exported) * unit,
                state == "charging",
            )
        )
        if soc is not None:
            car.readings.append((last + skew, float(soc)))
    for car, (instant, soc) in rows(
        "select run_id, user_id, occurred_at, soc_pct from staging.stg_simulator__plug_events "
        "where soc_pct is not null"
    ):
        stay = car.stay_of(instant, with_end=True)
        car.readings.append((instant + (stay.skew if stay else timedelta()), float(soc)))
    for car, (instant, soc) in rows(
        "select run_id, user_id, departed_at, soc_start_pct from staging.stg_simulator__trips "
        "where soc_start_pct is not null union all "
        "select run_id, user_id, arrived_at, soc_end_pct from staging.stg_simulator__trips "
        "where soc_end_pct is not null"
    ):
        car.readings.append((instant, float(soc)))
    return cars


def _number(value) -> float | None:
    return None if value is None else float(value)


def run_windows(cars: dict[tuple[str, str], Car]) -> dict[str, list[datetime]]:
    """Half-hours of each run, from the local day of its first plug-out to its last full one."""
    by_run = defaultdict(list)
    for car in cars.values():
        by_run[car.run_id] += [(stay, car.zone) for stay in car.stays]
    windows = {}
    for run, stays in by_run.items():
        midnights = [
            stay.plugged_out_at.replace(tzinfo=UTC)
            .astimezone(zone)
            .replace(hour=0, minute=0, second=0, microsecond=0)
            .astimezone(UTC)
            .replace(tzinfo=None)
            for stay, zone in stays
            if stay.plugged_out_at
        ]
        first = min(stay.plugged_in_at for stay, _ in stays)
        first = max(first, min(midnights)) if midnights else first
        begin = half_hour_before(first - MICROSECOND) + HALF_HOUR
        count = (max(stay.ended_at for stay, _ in stays) - begin) // HALF_HOUR
        windows[run] = [begin + number * HALF_HOUR for number in range(count)]
    return windows


def half_hours_of(cars: dict[tuple[str, str], Car]) -> list[dict]:
    """Half-hours of all cars."""
    windows = run_windows(cars)
    return [car.half_hour(begin) for car in cars.values() for begin in windows.get(car.run_id, [])]


def percentiles(values: list[float]) -> list[float | None]:
    """10th, 50th and 90th percentile, interpolated; nothing of no values."""
    return [float(v) for v in np.percentile(values, [10, 50, 90])] if values else [None] * 3
