"""Residential feed files read with the standard library, and figures of them with pandas.

Nothing in here reads a warehouse or shares code with its models: tests compare the warehouse
with these figures. Energy is counted in whole milliwatt-hours, the last decimal that the
warehouse keeps of a kWh, so that sums are exact.
"""

import csv
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

ZONE = ZoneInfo("Europe/Oslo")
MWH_PER_KWH = 10**6
PROFILES = {
    "synthetic_3_6": "Synthetic_3_6kW",
    "synthetic_7_2": "Synthetic_7_2kW",
    "flex_3_6": "Flex_3_6kW",
    "flex_7_2": "Flex_7_2kW",
}
MISSING = ("", "NA")
DURATION_TOLERANCE = timedelta(minutes=2.1)


def kwh(mwh: int) -> Decimal:
    """Energy in kWh, exactly."""
    return Decimal(int(mwh)) / MWH_PER_KWH


def milliwatt_hours(text: str) -> int | None:
    """Energy of a text with decimal comma in mWh, None where it is missing."""
    if text in MISSING:
        return None
    return int(
        (Decimal(text.replace(",", ".")) * MWH_PER_KWH).to_integral_value(rounding=ROUND_HALF_UP)
    )


def local_time(text: str) -> datetime | None:
    """Time on the clock of the site, None where it is missing."""
    return None if text in MISSING else datetime.strptime(text, "%d.%m.%Y %H:%M")


def instant(local: datetime, fold: int = 0) -> datetime:
    """UTC instant of a local time; fold 1 is the second of two in the repeated autumn hour."""
    return local.replace(tzinfo=ZONE, fold=fold).astimezone(UTC).replace(tzinfo=None)


def read_rows(path: Path, rejected: Collection[int] = ()) -> Iterator[dict[str, str]]:
    """Rows of a file but the rejected ones, which are numbered from 1 below the header."""
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter=";"), start=1):
            if number not in rejected:
                yield {name: text.strip() for name, text in row.items()}


def read_loads(path: Path, rejected: Collection[int] = ()) -> pd.DataFrame:
    """Hourly loads without spacers, of rows of one session, user and hour the last.

    Columns: session_id, user_id, date_from, date_to (local), starts_at (UTC), day, and a column
    of mWh per load profile, missing where the profile has no value.
    """
    loads = {}
    for row in read_rows(path, rejected):
        if row["session_ID"] in MISSING:
            continue
        date_from, date_to = local_time(row["date_from"]), local_time(row["date_to"])
        # A row of the repeated hour that ends later than it starts can only be the second.
        starts_at = instant(date_from, fold=int(date_to not in (None, date_from)))
        loads[row["session_ID"], row["User_ID"], starts_at] = {
            "session_id": row["session_ID"],
            "user_id": row["User_ID"],
            "date_from": date_from,
            "date_to": date_to,
            "starts_at": starts_at,
            "day": datetime(date_from.year, date_from.month, date_from.day),
        } | {name: milliwatt_hours(row[column]) for name, column in PROFILES.items()}
    return pd.DataFrame(list(loads.values())).astype(dict.fromkeys(PROFILES, "Int64"))


def read_reports(path: Path, rejected: Collection[int] = ()) -> pd.DataFrame:
    """Charging reports, of rows of one session the last.

    Columns: session_id, garage_id, user_id, station_id, is_shared, plugged_in and plugged_out
    (local), reported (timedelta), connected (timedelta between the two instants, that which
    agrees with the reported one where the clock leaves a choice), has_conflict, energy (mWh).
    """
    reports = {}
    for row in read_rows(path, rejected):
        start, end = local_time(row["Start_plugin"]), local_time(row["End_plugout"])
        hours = row["Duration_hours"]
        reported = (
            None if hours in MISSING else timedelta(hours=float(Decimal(hours.replace(",", "."))))
        )
        connected, has_conflict = connection(start, end, reported)
        is_shared = row["Shared_ID"] not in MISSING
        point = row["Shared_ID"] if is_shared else row["User_ID"]
        reports[row["session_ID"]] = {
            "session_id": row["session_ID"],
            "garage_id": row["Garage_ID"],
            "user_id": row["User_ID"],
            "station_id": f"{row['Garage_ID']}/{point}",
            "is_shared": is_shared,
            "plugged_in": start,
            "plugged_out": end,
            "reported": reported,
            "connected": connected,
            "has_conflict": has_conflict,
            "energy": milliwatt_hours(row["El_kWh"]),
        }
    return pd.DataFrame(list(reports.values()))


def connection(
    start: datetime, end: datetime | None, reported: timedelta | None
) -> tuple[timedelta | None, bool]:
    """Time between the instants of a session, and whether no reading agrees with the report."""
    if end is None:
        return None, False
    readings = [
        instant(end, fold=end_fold) - instant(start, fold=start_fold)
        for start_fold, end_fold in product((0, 1), repeat=2)
    ]
    possible = [
        reading
        for reading in readings
        if reading >= timedelta(0)
        and (reported is None or abs(reading - reported) <= DURATION_TOLERANCE)
    ]
    return (possible or readings)[0], not possible


def daily_figures(
    loads: pd.DataFrame,
    profile: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> pd.DataFrame:
    """Days with data in [start, end): energy and highest hour in mWh, hours with any energy."""
    hours = loads.dropna(subset=[profile]).groupby(["day", "starts_at"])[profile].sum()
    per_day = hours.groupby("day")
    days = pd.DataFrame(
        {
            "energy": per_day.sum(),
            "peak": per_day.max(),
            "active_hours": (hours > 0).groupby("day").sum(),
        }
    )
    return days[
        (days.index >= (start or datetime.min)) & (days.index < (end or datetime(9999, 1, 1)))
    ]


def calendar_days(days: pd.DataFrame) -> int:
    """Number of days from the first to the last, those in between that are missing too."""
    return (days.index.max() - days.index.min()).days + 1


def hours_between(first_day: datetime, last_day: datetime) -> int:
    """Real hours from the beginning of a local day to the end of another."""
    return int((instant(last_day + timedelta(days=1)) - instant(first_day)) / timedelta(hours=1))


def load_kpis(loads: pd.DataFrame, profile: str) -> dict:
    """The row of load.load_kpis of a profile; energies in kWh."""
    present = loads.dropna(subset=[profile])
    days = daily_figures(loads, profile)
    first_date, last_date = days.index.min(), days.index.max()
    hours = present.groupby(["starts_at", "date_from"])[profile].sum()
    peak = hours.max()
    user_peaks = present.groupby(["user_id", "starts_at"])[profile].sum().groupby("user_id").max()
    total = days["energy"].sum()
    length, real_hours = calendar_days(days), hours_between(first_date, last_date)
    last_week = days["energy"][days.index > last_date - timedelta(days=7)]
    return {
        "load_profile": profile,
        "first_date": first_date.date(),
        "last_date": last_date.date(),
        "days": length,
        "users": int((user_peaks > 0).sum()),
        "charging_sessions": present.loc[present[profile] > 0, "session_id"].nunique(),
        "total_energy_kwh": kwh(total),
        "avg_daily_energy_kwh": total / MWH_PER_KWH / length,
        "avg_daily_energy_last_7_days_kwh": last_week.sum() / MWH_PER_KWH / 7,
        "peak_daily_energy_kwh": kwh(days["energy"].max()),
        "peak_date": days.index[days["energy"] == days["energy"].max()].min().date(),
        "peak_hourly_load_kwh": kwh(peak),
        "peak_hour_local_at": hours.index[hours == peak].min()[1].to_pydatetime(),
        "avg_active_charging_hours_per_day": days["active_hours"].sum() / length,
        "utilization": days["active_hours"].sum() / real_hours,
        "load_factor": total / real_hours / peak,
        "coincidence_factor": peak / user_peaks.sum(),
    }
