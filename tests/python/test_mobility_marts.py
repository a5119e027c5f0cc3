"""Marts of driving and charging logs against figures that are taken straight from the seeds."""

import hashlib
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import pytest

from dbt_runner import PROJECT_ROOT
from mobility_figures import (
    battery_class,
    hours_apart,
    on_the_clock,
    read_drives,
    read_vehicles,
    rebuilt,
    sessions_of,
)

SEEDS = PROJECT_ROOT / "seeds" / "raw"
# SOC has four decimals, energy and distance six
TOLERANCE = 1e-3
PERIODS = {"night": range(0, 6), "morning": range(6, 11), "afternoon": range(11, 17)}


@pytest.fixture(scope="module")
def vehicles() -> dict[str, dict]:
    """Vehicles of the seeds by id."""
    return read_vehicles(SEEDS)


@pytest.fixture(scope="module")
def timelines() -> dict[str, list[dict]]:
    """Records of the seeds by vehicle."""
    found = rebuilt(SEEDS)
    assert found
    return found


@pytest.fixture(scope="module")
def sessions(timelines, vehicles) -> dict[str, list[dict]]:
    """Sessions of the seeds by vehicle."""
    return {
        vehicle: sessions_of(records, vehicles[vehicle]["battery_kwh"])
        for vehicle, records in timelines.items()
    }


@pytest.fixture(scope="module")
def drives(vehicles) -> pd.DataFrame:
    """Drives of the seeds with what they consumed."""
    rows = pd.DataFrame(read_drives(SEEDS).values())
    local = rows["start"].map(on_the_clock)
    known = pd.DataFrame(rows["vehicle"].map(lambda vehicle: vehicles.get(vehicle, {})).tolist())
    rows["date"], rows["month"] = local.dt.date, local.dt.strftime("%Y-%m")
    rows["period"] = local.dt.hour.map(
        lambda hour: next((name for name, span in PERIODS.items() if hour in span), "evening")
    )
    rows["km"] = rows["km_end"] - rows["km_start"]
    rows["minutes"] = (rows["end"] - rows["start"]).dt.total_seconds() / 60
    rows["energy"] = rows["energy"].astype(float)
    rows["vehicle_type"] = known["vehicle_type"].fillna("unknown")
    rows["soc_energy"] = (rows["soc_start"] - rows["soc_end"]) / 100 * known["battery_kwh"]
    rows["consumption"] = rows["energy"].fillna(rows["soc_energy"]) / rows["km"] * 100
    return rows


def mart(connection, name: str, *keys: str) -> pd.DataFrame:
    """Rows of a mart by their keys, decimals as floats."""
    return connection.execute(f"from mobility.{name}").df().set_index(list(keys)).sort_index()


def key(*parts: str) -> str:
    """The key of what a telematics feed names."""
    return hashlib.md5("\x1f".join(("telematics", *parts)).encode()).hexdigest()


def test_the_seeds_have_what_makes_timelines_hard(timelines, sessions):
    gaps = Counter(record.get("gap") for records in timelines.values() for record in records)
    assert {"standing", "standby_loss", "inferred_session", "inferred_drive"} <= set(gaps)
    assert gaps["contradiction"]
    found = [session for rows in sessions.values() for session in rows]
    assert {"complete", "incomplete", "inferred"} == {row["completeness"] for row in found}
    assert any(record["is_estimated"] for rows in timelines.values() for record in rows)


def test_drives_of_each_day_and_period_are_those_of_the_logs(connection, drives):
    found = mart(connection, "drive_lengths_by_day", "drive_date", "day_period")
    is_long = (drives["km"] > 100) | (drives["minutes"] > 90)
    groups = drives.assign(is_long=is_long).groupby(["date", "period"])
    expected = pd.DataFrame(
        {
            "drives": groups.size(),
            "vehicles": groups["vehicle"].nunique(),
            "long_drives": groups["is_long"].sum(),
            "short_drives": groups.size() - groups["is_long"].sum(),
            "distance_km": groups["km"].sum(),
            "duration_minutes": groups["minutes"].sum(),
            "long_share": groups["is_long"].mean(),
            "median_distance_km": groups["km"].median(),
            "p90_distance_km": groups["km"].quantile(0.9),
            "median_duration_minutes": groups["minutes"].median(),
            "p90_duration_minutes": groups["minutes"].quantile(0.9),
        }
    )
    assert expected["long_drives"].sum() > 0
    found.index = found.index.set_levels(found.index.levels[0].date, level=0)
    compare(found[expected.columns], expected)
    dates = pd.to_datetime(found.index.get_level_values(0))
    assert list(found["iso_weekday"]) == list(dates.day_of_week + 1)


def test_consumption_of_each_type_is_that_of_its_drives(connection, drives):
    found = mart(connection, "vehicle_type_consumption", "month", "vehicle_type")
    judged = drives[(drives["km"] >= 2) & drives["consumption"].notna()]
    limit = judged.groupby("month")["consumption"].quantile(0.9)
    judged = judged.assign(is_hungry=judged["consumption"] > judged["month"].map(limit))
    keys = ["month", "vehicle_type"]
    groups, metered = drives.groupby(keys), drives[drives["energy"].notna()].groupby(keys)
    by_soc = drives[drives["soc_energy"].notna()].groupby(keys)
    single = judged.groupby(keys)
    expected = pd.DataFrame(
        {
            "drives": groups.size(),
            "vehicles": groups["vehicle"].nunique(),
            "judged_drives": single.size(),
            "hungry_drives": single["is_hungry"].sum(),
            "distance_km": groups["km"].sum(),
            "energy_kwh": metered["energy"].sum(),
            "kwh_per_100km": metered["energy"].sum() / metered["km"].sum() * 100,
            "soc_kwh_per_100km": by_soc["soc_energy"].sum() / by_soc["km"].sum() * 100,
            "hungry_share": single["is_hungry"].mean(),
        }
        | {f"kwh_per_100km_p{p}": single["consumption"].quantile(p / 100) for p in (25, 50, 75, 90)}
    )
    assert len(expected) >= 5
    compare(found[expected.columns], expected)
    # a tenth of all judged drives
    for month, types in found.groupby("month"):
        assert types["hungry_drives"].sum() == pytest.approx(
            types["judged_drives"].sum() / 10, abs=1
        )
        by_rank = types.dropna(subset="hungry_share").sort_values("hungry_rank")
        assert by_rank["hungry_share"].is_monotonic_decreasing, month


def test_sessions_have_the_indicators_of_the_logs(connection, sessions):
    found = mart(connection, "session_indicators", "session_key")
    expected = {
        key(f"{vehicle}/{session['start']:%Y%m%dT%H%M%SZ}"): (vehicle, session)
        for vehicle, rows in sessions.items()
        for session in rows
    }
    assert set(found.index) == set(expected)
    names = {
        "energy_kwh": "energy",
        "mean_power_kw": "mean_power",
        "max_power_kw": "max_power",
        "duration_minutes": "minutes",
        "soc_start_pct": "soc_start",
        "soc_end_pct": "soc_end",
        "soc_change_pct": "soc_change",
    }
    for session_key, (vehicle, session) in expected.items():
        row = found.loc[session_key].replace({np.nan: None, pd.NA: None})
        words = (session["completeness"], session["reason"], session["source"], session["place"])
        columns = ("completeness", "incomplete_reason", "energy_source", "place")
        assert tuple(row[column] for column in columns) == words, session
        assert row["vehicle_key"] == key(vehicle)
        assert row["month"] == f"{on_the_clock(session['start']):%Y-%m}"
        for column, name in names.items():
            assert row[column] == near(session[name]), (column, session)


def test_batteries_are_used_as_the_timelines_say(connection, timelines, sessions, vehicles):
    found = mart(connection, "battery_usage", "month", "battery_class")
    used = defaultdict(Counter)
    seen = defaultdict(set)
    for vehicle, records in timelines.items():
        battery = battery_class(vehicles[vehicle])
        for place, record in enumerate(records):
            group = f"{on_the_clock(record['start']):%Y-%m}", battery
            seen[group].add(vehicle)
            if record["kind"] == "drive":
                lost = record["soc_start"] - record["soc_end"]
                energy = record["energy"]
                if energy is None:
                    energy = lost / 100 * vehicles[vehicle]["battery_kwh"]
                used[group].update(
                    drives=1,
                    distance_km=record["km_end"] - record["km_start"],
                    hours_driven=hours_apart(record["start"], record["end"]),
                    soc_lost_driving_pct=lost,
                    energy_driven_kwh=energy,
                )
            if record.get("gap") in ("standing", "standby_loss"):
                before = records[place - 1]
                known = None not in (before["soc_end"], record["soc_start"])
                used[group].update(
                    standby_losses=int(record["gap"] == "standby_loss"),
                    hours_standing=hours_apart(before["end"], record["start"]),
                    soc_lost_standing_pct=before["soc_end"] - record["soc_start"] if known else 0,
                )
        for session in sessions[vehicle]:
            group = f"{on_the_clock(session['start']):%Y-%m}", battery
            seen[group].add(vehicle)
            used[group].update(
                sessions=1,
                inferred_sessions=int(session["completeness"] == "inferred"),
                energy_charged_kwh=session["energy"] or 0,
            )
    expected = pd.DataFrame(used).T.fillna(0)
    expected["vehicles"] = pd.Series({group: len(members) for group, members in seen.items()})
    capacity = pd.Series(
        {
            group: sum(vehicles[vehicle]["battery_kwh"] for vehicle in members)
            for group, members in seen.items()
        }
    )
    expected["energy_charged_kwh_per_vehicle"] = (
        expected["energy_charged_kwh"] / expected["vehicles"]
    )
    expected["full_charges_per_vehicle"] = expected["energy_charged_kwh"] / capacity
    for state, lost in (("driven", "driving"), ("standing", "standing")):
        expected[f"soc_lost_per_hour_{state}_pct"] = (
            expected[f"soc_lost_{lost}_pct"] / expected[f"hours_{state}"]
        )
    compare(found[expected.columns], expected)


def test_ageing_is_taken_from_complete_sessions(connection, sessions, vehicles):
    """Capacities, and from them the median of all slopes between two vehicles."""
    found = mart(connection, "battery_ageing", "battery_chemistry")
    points = defaultdict(list)
    for vehicle, rows in sessions.items():
        large = [
            row
            for row in rows
            if row["completeness"] == "complete" and row["soc_change"] >= 20 - 1e-6
        ]
        if not large:
            continue
        known = vehicles[vehicle]
        days = [(on_the_clock(row["start"]).date() - known["registered"]).days for row in large]
        capacity = np.median([row["energy"] / row["soc_change"] * 100 for row in large])
        age = (min(days) + max(days)) / 2 / 365.25
        points[known["chemistry"]].append((age, np.log(capacity / known["battery_kwh"])))
    assert set(found.index) == set(points)
    for chemistry, known in points.items():
        slopes = [
            (second[1] - first[1]) / (second[0] - first[0])
            for place, first in enumerate(known)
            for second in known[place + 1 :]
            if first[0] != second[0]
        ]
        row = found.loc[chemistry]
        assert row["vehicles"] == len(known)
        assert row["annual_change_pct"] == pytest.approx(100 * np.expm1(np.median(slopes)))
        assert row["status"] == "ok"
        # batteries of the seeds lose 2 % (NMC) and 1.2 % (LFP) of what they had when new
        assert row["ci_low_pct"] < -1
        assert row["ci_low_pct"] < row["annual_change_pct"] < row["ci_high_pct"] < 0
        assert 1.05 < row["ratio_when_new"] < 1.15


def near(value):
    """A number to compare with; None and text as they are."""
    return value if value is None else pytest.approx(value, abs=TOLERANCE)


def compare(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Both have the same rows and, but for rounding, the same figures."""
    expected = expected.sort_index()
    assert list(found.index) == list(expected.index)
    pd.testing.assert_frame_equal(
        found.astype(float),
        expected.astype(float),
        check_names=False,
        check_index_type=False,
        check_column_type=False,
        rtol=1e-6,
        atol=TOLERANCE,
    )
