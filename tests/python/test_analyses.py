"""Every analysis compiles, runs, and gives figures that hold against the feed files."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from dbt_runner import PROJECT_ROOT, run_dbt
from experiment_figures import (
    METRICS,
    Experiment,
    read_experiment,
    read_plan,
    read_sessions,
    read_users,
)
from feed_figures import (
    PROFILES,
    ZONE,
    calendar_days,
    daily_figures,
    hours_between,
    instant,
    kwh,
    read_loads,
    read_reports,
    read_rows,
)
from fleet_figures import half_hours_of, read_cars
from mobility_figures import (
    battery_class,
    hours_apart,
    on_the_clock,
    read_drives,
    read_vehicles,
    rebuilt,
    sessions_of,
)
from price_figures import (
    POWERS_KW,
    by_hour,
    by_minute,
    connections,
    low_price_hours,
    minute,
    on_clock,
    read_intervals,
    session_costs,
)

LOADS = "residential__hourly_loads"
REPORTS = "residential__charging_reports"
EXPERIMENT_USERS = "experiment__users"
EXPERIMENT_SESSIONS = "experiment__sessions"
PRICES = "market__prices"
FEEDS = (LOADS, REPORTS, EXPERIMENT_USERS, EXPERIMENT_SESSIONS, PRICES)
EXPERIMENT = "charge_timing_2024"
CONTROL = "control"
PRICE_ZONE = "NO3"
DEFAULT_PROFILE = "synthetic_7_2"
CHARGING_POWER_KW = 7.2
LONGEST = timedelta(days=14)
# What identifies a row of each analysis; the order in which it lists them.
KEYS = {
    "active_hours_per_day": ["load_profile", "iso_weekday"],
    "cars_full_in_the_morning": ["run_id", "archetype"],
    "charge_lost_while_standing": ["month", "loss_rank", "battery_class"],
    "cheap_hours_by_month": ["price_zone", "month_start_date", "hour_of_day"],
    "coincidence_of_user_peaks": ["scope", "site_id", "load_profile"],
    "cost_of_charging_by_month": ["load_profile", "month_start_date"],
    "damage_of_messages": ["damage_kind"],
    "energy_that_could_move_to_the_night": ["charging_power_kw", "day_kind"],
    "complete_charging_sessions": ["month", "completeness", "reason"],
    "energy_hungry_vehicle_types": ["month", "hungry_rank", "vehicle_type"],
    "experiment_arms": ["experiment_id", "variant"],
    "experiment_kpis": ["experiment_id", "metric", "variant"],
    "experiment_kpis_by_day": ["experiment_id", "metric", "day_number", "variant"],
    "experiment_kpis_by_segment": ["experiment_id", "metric", "segment", "variant"],
    "experiment_sessions_by_hour": ["experiment_id", "variant", "hour_of_day"],
    "failed_attempts_by_hour": ["hour_of_day"],
    "failures_of_last_week": ["place", "failure_reason"],
    "feed_trust": ["feed"],
    "flagged_sessions": ["source_system", "flag"],
    "flexibility_by_hour": ["run_id", "day_kind", "hour_of_day"],
    "hours_near_the_peak": ["load_profile", "threshold"],
    "long_drives_by_weekday": ["iso_weekday", "first_hour"],
    "monthly_demand": ["month_start_date"],
    "peak_at_half_the_power": ["period"],
    "peak_hours_per_profile": ["load_profile", "peak_rank"],
    "peak_power_of_fleets": ["run_id"],
    "port_downtime_of_last_week": ["place", "station_id", "evse_id"],
    "ports_about_to_miss_uptime": ["place", "station_id", "evse_id"],
    "retries_and_give_ups": ["site_id"],
    "share_of_energy_by_hour": ["day_kind", "hour_of_day"],
    "soc_through_the_day": ["run_id", "archetype", "hour_of_day"],
    "station_utilisation": ["station_rank", "station_id"],
    "stations_worse_than_before": ["place", "station_id"],
    "wait_for_power_by_mode": ["attempt_mode"],
}
ORDERED_OTHERWISE = {"flagged_sessions"}
ANALYSES = sorted(file.stem for file in (PROJECT_ROOT / "analyses").glob("*.sql"))


def seed(feed: str) -> Path:
    """The committed file of a feed."""
    return PROJECT_ROOT / "seeds" / "raw" / f"raw_{feed}.csv"


@pytest.fixture(scope="module")
def copy(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the warehouse under the same name, which dbt may open while others read."""
    path = tmp_path_factory.mktemp("analyses") / warehouse.name
    shutil.copyfile(warehouse, path)
    return path


@pytest.fixture(scope="module")
def compiled(copy: Path) -> dict[str, str]:
    """SQL of each analysis."""
    result = run_dbt(["compile", "--select", "path:analyses"], copy)
    assert result.returncode == 0, result.stdout
    folder = copy.parent / "target" / "compiled" / "ev_charging" / "analyses"
    return {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.sql")}


@pytest.fixture(scope="module")
def opened(copy: Path, compiled: dict[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connection to the copy, once dbt has left it."""
    with duckdb.connect(str(copy)) as connection:
        yield connection


@pytest.fixture(scope="module")
def results(opened: duckdb.DuckDBPyConnection, compiled: dict[str, str]) -> dict[str, pd.DataFrame]:
    """Rows of each analysis, decimals as they are."""
    return {name: run(opened, query) for name, query in compiled.items()}


def part(results: dict[str, pd.DataFrame], name: str, **values: str) -> pd.DataFrame:
    """Rows of an analysis that have a value in a column."""
    ((column, value),) = values.items()
    rows = results[name]
    return rows[rows[column] == value]


def run(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return pd.DataFrame(cursor.fetchall(), columns=names, dtype=object)


@pytest.fixture(scope="module")
def rejected(opened: duckdb.DuckDBPyConnection) -> dict[str, set[int]]:
    """Numbers of the rejected rows of each feed."""
    rows = opened.execute("select feed, row_number from quality.rejected_rows").fetchall()
    return {feed: {n for name, n in rows if name == feed} for feed in FEEDS}


@pytest.fixture(scope="module")
def loads(rejected: dict[str, set[int]]) -> pd.DataFrame:
    return read_loads(seed(LOADS), rejected[LOADS])


@pytest.fixture(scope="module")
def reports(rejected: dict[str, set[int]]) -> pd.DataFrame:
    return read_reports(seed(REPORTS), rejected[REPORTS])


@pytest.fixture(scope="module")
def experiment_sessions(rejected: dict[str, set[int]]) -> pd.DataFrame:
    return read_sessions(seed(EXPERIMENT_SESSIONS), rejected[EXPERIMENT_SESSIONS])


@pytest.fixture(scope="module")
def experiment(rejected: dict[str, set[int]], experiment_sessions: pd.DataFrame) -> Experiment:
    return read_experiment(
        read_users(seed(EXPERIMENT_USERS), EXPERIMENT, rejected[EXPERIMENT_USERS]),
        experiment_sessions,
        read_plan(PROJECT_ROOT / "seeds" / "reference" / "experiments.csv", EXPERIMENT),
        seed(PRICES),
        PRICE_ZONE,
        rejected[PRICES],
    )


@pytest.fixture(scope="module")
def hours(loads: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Energy of all users per hour and profile: starts_at, date_from, day, energy in mWh."""
    return {
        profile: loads.dropna(subset=[profile])
        .groupby(["starts_at", "date_from", "day"], as_index=False)[profile]
        .sum()
        .rename(columns={profile: "energy"})
        for profile in PROFILES
    }


# --- all of them ----------------------------------------------------------------------------------


def test_every_analysis_has_keys_here():
    assert sorted(KEYS) == ANALYSES


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_begins_with_its_question(name):
    text = (PROJECT_ROOT / "analyses" / f"{name}.sql").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0].startswith("-- Question: ")
    assert any(line.startswith("-- Who asks: ") for line in lines)
    assert any(line.startswith("-- How to read: ") for line in lines)
    assert lines[-1] == "select * from final"


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_has_rows_with_complete_keys_in_order(results, name):
    rows = results[name]
    keys = rows[KEYS[name]]
    assert len(rows)
    assert not keys.isna().any(axis=None)
    assert not keys.duplicated().any()
    if name not in ORDERED_OTHERWISE:
        listed = [tuple(values) for values in keys.itertuples(index=False)]
        assert listed == sorted(listed, key=_all_before_months)


def _all_before_months(values: tuple) -> tuple:
    return (values[0] != "all", *values)


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_of_an_empty_warehouse_has_the_same_columns(opened, compiled, results, name):
    opened.execute("begin")
    try:
        for schema in (
            "core",
            "load",
            "quality",
            "experiment",
            "reliability",
            "fleet",
            "mobility",
            "intermediate",
        ):
            for (table,) in opened.execute(
                "select table_name from information_schema.tables "
                "where table_schema = ? and table_type = 'BASE TABLE'",
                [schema],
            ).fetchall():
                opened.execute(f"delete from {schema}.{table}")
        rows = run(opened, compiled[name])
    finally:
        opened.execute("rollback")
    assert list(rows.columns) == list(results[name].columns)
    assert rows.empty


# --- grid capacity --------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_the_highest_hours_are_those_of_the_feed(results, hours, profile):
    top = hours[profile].sort_values(["energy", "starts_at"], ascending=[False, True])[:10]
    rows = part(results, "peak_hours_per_profile", load_profile=profile)
    assert list(rows["load_started_local_at"]) == list(top["date_from"].dt.to_pydatetime())
    assert list(rows["energy_kwh"]) == [kwh(mwh) for mwh in top["energy"]]
    assert list(rows["share_of_peak"]) == pytest.approx(list(top["energy"] / top["energy"].max()))


@pytest.mark.parametrize("profile", PROFILES)
def test_coincidence_of_sites_is_that_of_the_feed(results, loads, reports, profile):
    garages = reports.set_index("session_id")["garage_id"]
    placed = loads.assign(site=loads["session_id"].map(garages).fillna("unknown"))
    expected = {"all": _coincidence(placed, profile)} | {
        site: _coincidence(own, profile) for site, own in placed.groupby("site")
    }
    rows = part(results, "coincidence_of_user_peaks", load_profile=profile)
    found = dict(zip(rows["site_id"], rows["coincidence_factor"], strict=True))
    assert found == pytest.approx(expected, rel=1e-12)
    assert len(found) > 2


def _coincidence(loads: pd.DataFrame, profile: str) -> float:
    user_peaks = loads.groupby(["user_id", "starts_at"])[profile].sum().groupby("user_id").max()
    return loads.groupby("starts_at")[profile].sum().max() / user_peaks.sum()


def test_hours_near_the_peak_are_those_of_the_feed(results, hours):
    for row in results["hours_near_the_peak"].itertuples():
        loads = hours[row.load_profile]
        limit = int(loads["energy"].max() * int(row.threshold * 10))
        above = loads[loads["energy"] * 10 > limit]
        real_hours = hours_between(loads["day"].min(), loads["day"].max())
        assert row.hours_above == len(above)
        assert row.days_above == above["day"].nunique()
        assert row.share_of_hours == pytest.approx(len(above) / real_hours, rel=1e-12)
        assert row.energy_above_kwh == kwh((above["energy"] * 10 - limit).sum()) / 10
    assert len(results["hours_near_the_peak"]) == 2 * len(PROFILES)


def test_half_the_power_lowers_the_peak_as_in_the_feed(results, hours):
    peaks = {}
    for profile in ("synthetic_3_6", "synthetic_7_2"):
        loads = hours[profile]
        months = loads.groupby(loads["day"].dt.strftime("%Y-%m"))["energy"].max()
        peaks[profile] = {"all": loads["energy"].max()} | months.to_dict()
    rows = results["peak_at_half_the_power"].set_index("period")
    assert list(rows.index) == ["all", *sorted(peaks["synthetic_7_2"].keys() - {"all"})]
    for period, row in rows.iterrows():
        slow, fast = (peaks[profile][period] for profile in ("synthetic_3_6", "synthetic_7_2"))
        assert row["peak_at_3_6_kwh"] == kwh(slow)
        assert row["peak_at_7_2_kwh"] == kwh(fast)
        assert row["peak_reduction_pct"] == pytest.approx(100 * (1 - slow / fast), rel=1e-9)


# --- prices ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prices(rejected: dict[str, set[int]]) -> dict[int, float]:
    """Price of each minute of the sites' zone, EUR/MWh."""
    return by_minute(read_intervals(seed(PRICES), "NO3", rejected[PRICES]), "price")


@pytest.mark.parametrize("profile", POWERS_KW)
def test_the_cost_of_a_month_is_that_of_the_feeds(results, loads, reports, prices, profile):
    hour_prices = by_hour(prices)
    costs, savings = Counter(), Counter()
    for starts_at, mwh in loads[["starts_at", profile]].dropna().itertuples(index=False):
        hour = minute(starts_at.to_pydatetime())
        costs[month(hour)] += int(mwh) / 1e9 * hour_prices[hour]
    for plugged_in, plugged_out, energy_kwh in connections(reports):
        found = plugged_out and session_costs(
            plugged_in, plugged_out, energy_kwh, POWERS_KW[profile], hour_prices
        )
        at_once, cheapest = found or (0, 0)
        savings[month(plugged_in)] += (at_once - cheapest) / 1000
    rows = part(results, "cost_of_charging_by_month", load_profile=profile)
    for row in rows.itertuples():
        assert float(row.cost_eur) == pytest.approx(costs[row.month_start_date], abs=1e-6)
        assert float(row.saving_eur) == pytest.approx(savings[row.month_start_date], abs=1e-6)
    assert set(rows["month_start_date"]) == costs.keys() | savings.keys()


def month(number: int) -> date:
    """First day of the month in which a minute lies on the clock of the sites."""
    return on_clock(number, ZONE).date().replace(day=1)


def test_cheap_hours_are_those_of_the_feed(results, prices):
    is_low = low_price_hours(by_hour(prices), ZONE, 6)
    figures = defaultdict(Counter)
    for first in {number - number % 60 for number in prices}:
        row = figures[month(first), on_clock(first, ZONE).hour]
        known = [prices[number] for number in range(first, first + 60) if number in prices]
        low = is_low[first][-1] if first in is_low else None
        row["minutes"] += len(known)
        row["price"] += sum(known)
        row["negative"] += sum(price < 0 for price in known)
        row["known"] += 60 * (low is not None)
        row["low"] += 60 * (low is True)
    rows = part(results, "cheap_hours_by_month", price_zone="NO3")
    assert len(rows) == len(figures)
    for row in rows.itertuples():
        expected = figures[row.month_start_date, row.hour_of_day]
        assert row.mean_price_eur_per_mwh == pytest.approx(expected["price"] / expected["minutes"])
        assert row.negative_share == pytest.approx(expected["negative"] / expected["minutes"])
        assert row.low_price_share == pytest.approx(expected["low"] / expected["known"])
    assert rows["negative_share"].max() > 0


# --- demand ---------------------------------------------------------------------------------------


def test_monthly_demand_is_that_of_the_reports(results, reports):
    by_month = reports.groupby(reports["plugged_in"].dt.to_period("M"))
    energy, users = by_month["energy"].sum(), by_month["user_id"].nunique()
    rows = results["monthly_demand"]
    assert [str(day)[:7] for day in rows["month_start_date"]] == [str(m) for m in energy.index]
    assert list(rows["energy_kwh"]) == [kwh(mwh) for mwh in energy]
    assert list(rows["charging_sessions"]) == list(by_month.size())
    assert list(rows["users"]) == list(users)
    assert list(rows["energy_per_user_kwh"]) == pytest.approx(list(energy / users / 1e6))


def test_months_that_the_data_cut_are_flagged_and_not_compared(results, reports):
    first, last = reports["plugged_in"].min(), reports["plugged_in"].max()
    rows = results["monthly_demand"]
    cut = [first.day > 1, *[False] * (len(rows) - 2), not last.is_month_end]
    assert list(rows["is_cut"]) == cut
    energy = [float(value) for value in rows["energy_kwh"]]
    for place, change in enumerate(rows["energy_change_pct"]):
        if place == 0 or cut[place] or cut[place - 1]:
            assert change is None
        else:
            ratio = energy[place] / energy[place - 1]
            assert change == pytest.approx(100 * (ratio - 1), rel=1e-9)
    assert rows["energy_change_pct"].notna().any()


# --- pricing windows ------------------------------------------------------------------------------


def test_the_share_of_each_hour_is_that_of_the_feed(results, hours):
    loads = hours[DEFAULT_PROFILE]
    is_weekend = loads["date_from"].dt.day_of_week >= 5
    for day_kind, days in (("weekend", loads[is_weekend]), ("weekday", loads[~is_weekend])):
        energy = days.groupby(days["date_from"].dt.hour)["energy"].sum().reindex(range(24))
        expected = (energy.fillna(0) / energy.sum()).to_dict()
        rows = part(results, "share_of_energy_by_hour", day_kind=day_kind)
        found = dict(zip(rows["hour_of_day"], rows["share_of_energy"], strict=True))
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_busy_hours_are_the_fewest_that_carry_half(results):
    for _, rows in results["share_of_energy_by_hour"].groupby("day_kind"):
        by_load = rows.sort_values("load_rank")
        busy = int(by_load["is_busy_hour"].sum())
        shares = by_load["share_of_energy"].astype(float)
        assert list(by_load["is_busy_hour"]) == [True] * busy + [False] * (len(rows) - busy)
        assert shares[:busy].sum() >= 0.5 > shares[: busy - 1].sum()


def test_energy_that_could_move_is_that_of_the_sessions(results, loads):
    is_night = loads["date_from"].dt.hour < 6
    for power in ("3_6", "7_2"):
        parts = pd.DataFrame(
            {
                "session_id": loads["session_id"],
                "user_id": loads["user_id"],
                "day": loads["day"],
                "by_day": loads[f"synthetic_{power}"].where(~is_night).fillna(0),
                "room": loads[f"flex_{power}"].where(is_night).fillna(0),
            }
        )
        sessions = parts.groupby(["session_id", "user_id"]).agg(
            day=("day", "min"), by_day=("by_day", "sum"), room=("room", "sum")
        )
        movable = sessions[["by_day", "room"]].min(axis=1)
        day_kinds = (sessions["day"].dt.day_of_week >= 5).map({True: "weekend", False: "weekday"})
        found = {
            row.day_kind: row.movable_kwh
            for row in results["energy_that_could_move_to_the_night"].itertuples()
            if str(row.charging_power_kw) == power.replace("_", ".")
        }
        assert found == {kind: kwh(mwh) for kind, mwh in movable.groupby(day_kinds).sum().items()}


# --- utilisation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_active_hours_are_those_of_the_feed(results, loads, profile):
    days = daily_figures(loads, profile)["active_hours"]
    calendar = days.reindex(pd.date_range(days.index.min(), days.index.max()), fill_value=0)
    expected = calendar.groupby(calendar.index.day_of_week + 1).mean().to_dict()
    rows = part(results, "active_hours_per_day", load_profile=profile)
    found = dict(zip(rows["iso_weekday"], rows["mean_active_hours"], strict=True))
    assert found == pytest.approx(expected, rel=1e-12)
    assert sum(rows["days"]) == calendar_days(days.to_frame())


def test_stations_use_as_much_of_their_connected_time_as_in_the_reports(results, reports):
    measured = reports[reports["connected"].notna() & ~(reports["connected"] > LONGEST)]
    stations = measured.assign(
        hours=measured["connected"] / timedelta(hours=1), kwh=measured["energy"] / 1e6
    )
    stations["idle"] = (stations["hours"] - stations["kwh"] / CHARGING_POWER_KW).clip(lower=0)
    totals = stations.groupby("station_id")[["hours", "kwh", "idle"]].sum()
    first = instant(reports["plugged_in"].min().to_pydatetime())
    last = instant(reports["plugged_out"].max().to_pydatetime())
    rows = results["station_utilisation"].set_index("station_id")
    assert set(rows.index) == set(reports["station_id"])
    for column, expected in (
        ("energy_share_of_connection", totals["kwh"] / totals["hours"] / CHARGING_POWER_KW),
        ("idle_share", totals["idle"] / totals["hours"]),
        ("occupied_share", totals["hours"] / ((last - first) / timedelta(hours=1))),
    ):
        assert rows[column].to_dict() == pytest.approx(expected.to_dict(), rel=1e-9), column
    assert list(rows.index) == list(totals.sort_values("hours", ascending=False).index)


# --- experiments ----------------------------------------------------------------------------------


def test_arms_have_the_users_and_sessions_of_the_feeds(results, experiment):
    rows = results["experiment_arms"].set_index("variant")
    users = experiment.users.groupby("variant").size()
    sessions = experiment.sessions.groupby("variant")
    assert rows["users"].to_dict() == users.to_dict()
    assert rows["users_with_sessions"].to_dict() == sessions["user_id"].nunique().to_dict()
    assert rows["charging_sessions"].to_dict() == sessions.size().to_dict()
    energy = {variant: float(kwh) for variant, kwh in rows["energy_kwh"].items()}
    assert energy == pytest.approx(sessions["energy"].sum().to_dict(), rel=1e-9)
    assert rows["share_of_users"].to_dict() == pytest.approx((users / users.sum()).to_dict())
    assert (rows["users_with_sessions"] < rows["users"]).all()


def test_metrics_of_the_arms_are_those_of_the_feeds(results, experiment):
    expected = experiment.ratios(["variant"])
    rows = results["experiment_kpis"].set_index(["metric", "variant"])
    assert len(rows) == 2 * len(METRICS)
    for (metric, variant), row in rows.iterrows():
        control = expected[metric][CONTROL]
        assert row["metric_value"] == pytest.approx(expected[metric][variant], rel=1e-6)
        assert row["difference_to_control_pct"] == pytest.approx(
            100 * (expected[metric][variant] / control - 1), abs=1e-3
        )
        assert row["users"] == (experiment.users["variant"] == variant).sum()


def test_metrics_of_the_segments_are_those_of_the_feeds(results, experiment):
    expected = experiment.ratios(["segment", "variant"])
    rows = results["experiment_kpis_by_segment"]
    for metric, values in rows.groupby("metric"):
        found = values.set_index(["segment", "variant"])["metric_value"].astype(float)
        assert found.to_dict() == pytest.approx(expected[metric].to_dict(), rel=1e-6), metric
    assert set(rows["metric"]) == set(METRICS)
    assert rows["segment"].nunique() > 2


def test_metrics_of_the_days_are_those_of_the_feeds(results, experiment):
    sums = experiment.sums(["day", "variant"])
    rows = results["experiment_kpis_by_day"]
    for metric, values in rows.groupby("metric"):
        days = values.set_index(["day_number", "variant"])
        expected = sums[f"S {metric}"] / sums[f"N {metric}"]
        assert days["metric_value"].to_dict() == pytest.approx(expected.to_dict(), rel=1e-6), metric
        assert days["charging_sessions"].to_dict() == sums["sessions"].to_dict()
    assert set(rows["metric"]) == set(METRICS) - {"sessions_per_user"}
    assert {str(day) for day in rows["local_date"]} == {
        str(day.date()) for day in pd.date_range("2024-10-21", "2024-11-03")
    }


def test_sessions_begin_at_the_hours_of_the_feeds(results, experiment):
    for variant, rows in results["experiment_sessions_by_hour"].groupby("variant"):
        sessions = experiment.sessions[experiment.sessions["variant"] == variant]
        counts = sessions.groupby("hour").size().reindex(range(24), fill_value=0)
        by_hour = rows.set_index("hour_of_day")
        assert by_hour["charging_sessions"].to_dict() == counts.to_dict()
        assert sum(rows["share_of_sessions"]) == pytest.approx(1, rel=1e-12)
        low = sessions.groupby("hour")["S low_price_share"].mean()
        assert by_hour["low_price_share"].dropna().to_dict() == pytest.approx(low.to_dict())


# --- the charging network -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network(opened: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    """The tables that the questions about the network are asked of, as they are."""
    queries = {
        "attempts": "select * from reliability.fct_charge_attempts",
        "sessions": "select * from core.fct_charging_sessions where source_system = 'network'",
        "stations": "select * from core.dim_station where source_system = 'network'",
        "status": "select * from reliability.fct_port_status",
        "uptime": "select * from reliability.port_uptime_monthly",
        "windows": "select * from intermediate.int_network__port_windows",
        "exclusions": "select * from staging.stg_network__outage_exclusions",
        "damage": "select * from quality.message_damage",
        "scores": "select * from quality.message_damage_scores",
    }
    return {name: opened.execute(query).df() for name, query in queries.items()}


def last_week(days: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Monday and the Monday after it, of the last week of which the days have the Sunday."""
    last = pd.Timestamp(days.max())
    end = last + timedelta(days=1)
    while end.weekday() != 0:
        end -= timedelta(days=1)
    return end - timedelta(days=7), end


def test_the_last_week_of_the_network_is_a_whole_one(network):
    """The seeds end on a Sunday, so that the last week is the one that ends with it."""
    first, end = last_week(network["attempts"]["date_key"])
    assert (first, end) == (pd.Timestamp("2024-11-04"), pd.Timestamp("2024-11-11"))


def test_stations_got_worse_as_their_sessions_say(results, network):
    sessions = network["sessions"][network["sessions"]["outcome"].isin(["succeeded", "failed"])]
    first, end = last_week(sessions["date_key"])
    days = pd.to_datetime(sessions["date_key"])
    names = network["stations"].set_index("station_key")["station_id"]
    is_success = sessions["outcome"].eq("succeeded").groupby(sessions["station_key"].map(names))
    late = days.ge(first) & days.lt(end)
    early = days.ge(first - timedelta(days=28)) & days.lt(first)
    rows = results["stations_worse_than_before"].set_index("station_id")
    expected = {}
    for station, succeeded in is_success:
        counts = [succeeded[mask.loc[succeeded.index]] for mask in (late, early)]
        if all(len(count) for count in counts):
            n, s = [len(count) for count in counts], [count.sum() for count in counts]
            expected[station] = s[0] / n[0] - s[1] / n[1]
            row = rows.loc[station]
            assert [row["sessions_last_week"], row["sessions_before"]] == n
            if 0 < sum(s) < sum(n):
                assert row["z_score"] == pytest.approx(proportions_ztest(s, n)[0], rel=1e-9)
    change = {name: value / 100 for name, value in rows["change_percentage_points"].items()}
    assert change == pytest.approx(expected)
    assert len(expected) > 3


def test_failures_of_the_last_week_are_those_of_attempts_and_lists(results, network):
    attempts, sessions = network["attempts"], network["sessions"]
    listed = sessions[~sessions["session_key"].isin(attempts["session_key"])]
    columns = ["date_key", "outcome", "failure_reason", "station_key", "user_key"]
    everything = pd.concat([attempts[columns], listed[columns]], ignore_index=True)
    days = pd.to_datetime(everything["date_key"])
    first, end = last_week(days)
    is_failed = everything["outcome"].eq("failed")
    week = everything[is_failed & days.ge(first) & days.lt(end)]
    before = everything[is_failed & days.ge(first - timedelta(days=7)) & days.lt(first)]
    rows = results["failures_of_last_week"].set_index("failure_reason")
    assert len(listed) and len(week) > 10
    by_reason = week.groupby("failure_reason")
    assert rows["failures"].to_dict() == by_reason.size().to_dict()
    assert rows["stations"].to_dict() == by_reason["station_key"].nunique().to_dict()
    assert rows["drivers"].to_dict() == by_reason["user_key"].nunique().to_dict()
    earlier = before.groupby("failure_reason").size()
    assert rows["failures_week_before"].to_dict() == {
        reason: earlier.get(reason, 0) for reason in rows.index
    }
    assert sum(rows["share_of_failures"]) == pytest.approx(1)


def seconds_of(spans: pd.DataFrame, begin: pd.Timestamp, names: tuple[str, str]) -> np.ndarray:
    """Return for each second of a week from an instant whether a span covers it."""
    covered = np.zeros(7 * 24 * 3600, dtype=bool)
    for starts_at, ends_at in spans[list(names)].itertuples(index=False):
        ends = ((instant_ - begin).total_seconds() for instant_ in (starts_at, ends_at))
        first, last = (int(np.clip(round(end), 0, len(covered))) for end in ends)
        covered[first:last] = True
    return covered


def test_downtime_of_the_last_week_is_that_of_the_status(results, network):
    rows = results["port_downtime_of_last_week"].set_index(["station_id", "evse_id"])
    days = [
        row.monitored_to.tz_localize("UTC").tz_convert(row.site_timezone).date()
        for row in network["windows"].itertuples()
    ]
    first, _ = last_week(pd.Series(days))
    found = {}
    for port in network["windows"].itertuples():
        begin = first.tz_localize(port.site_timezone).tz_convert("UTC").tz_localize(None)
        own = network["status"][network["status"]["port_key"].eq(port.port_key)]
        span = ("started_at", "ended_at")
        down = seconds_of(own[~own["is_up"].astype(bool)], begin, span)
        causes = own["down_causes"].fillna("")
        offline = seconds_of(own[causes.str.contains("offline")], begin, span)
        exclusions = network["exclusions"]
        is_own = exclusions["station_id"].eq(port.charger_id) & (
            exclusions["evse_id"].isna() | exclusions["evse_id"].eq(port.evse_id)
        )
        excluded = seconds_of(exclusions[is_own], begin, ("excluded_from", "excluded_until"))
        if down.any():
            found[port.charger_id, port.evse_id] = (
                down.sum() / 3600,
                offline.sum() / 3600,
                (down & excluded).sum() / 3600,
            )
    columns = ["down_hours", "offline_hours", "excluded_hours"]
    assert set(rows.index) == set(found)
    for port, hours_ in found.items():
        assert list(rows.loc[port, columns]) == pytest.approx(list(hours_), abs=1e-9), port
    assert any(hours_[2] > 0 for hours_ in found.values())
    assert list(rows["down_hours"]) == sorted(rows["down_hours"], reverse=True)


def test_ports_miss_their_uptime_by_the_hours_that_are_left(results, network):
    """What is left is the time that would bring the uptime to exactly 97 %."""
    uptime = network["uptime"].sort_values("month_start_date")
    last = uptime.groupby("port_key").tail(1).set_index(["station_id", "evse_id"])
    rows = results["ports_about_to_miss_uptime"].set_index(["station_id", "evse_id"])
    assert set(rows.index) == set(last.index)
    for port, row in rows.iterrows():
        month = last.loc[port]
        lost = month["outage_minutes_12m"] - month["excluded_minutes_12m"]
        with_rest = 100 * (1 - (lost + 60 * row["hours_left"]) / month["denominator_minutes_12m"])
        assert with_rest == pytest.approx(97, abs=1e-6)
        next_month = lost + month["down_minutes"] - month["excluded_minutes"]
        then = 100 * (1 - next_month / month["denominator_minutes_12m"])
        state = "missed" if month["uptime_pct"] <= 97 else "at_risk" if then <= 97 else "safe"
        assert row["state"] == state
    assert set(rows["state"]) >= {"missed", "safe"}


def test_attempts_fail_at_the_hours_of_their_sites(results, network):
    attempts = network["attempts"][network["attempts"]["outcome"].isin(["succeeded", "failed"])]
    hour = [
        row.started_at.tz_localize("UTC").tz_convert(row.site_timezone).hour
        for row in attempts.itertuples()
    ]
    is_failed = attempts["outcome"].eq("failed").groupby(hour)
    rows = results["failed_attempts_by_hour"].set_index("hour_of_day")
    assert rows["attempts"].to_dict() == is_failed.size().to_dict()
    assert rows["failed_attempts"].to_dict() == is_failed.sum().to_dict()
    low, high = proportion_confint(
        is_failed.sum().to_numpy(), is_failed.size().to_numpy(), method="wilson"
    )
    assert list(rows["failed_share_low"]) == pytest.approx(list(low), abs=1e-6)
    assert list(rows["failed_share_high"]) == pytest.approx(list(high), abs=1e-6)


def test_retries_are_those_of_the_attempts(results, network):
    attempts = network["attempts"].sort_values(["visit_key", "attempt_number"])
    visits = attempts.groupby("visit_key").agg(
        site_id=("site_id", "first"),
        first=("outcome", "first"),
        outcome=("outcome", "last"),
        attempts=("attempt_id", "size"),
    )
    visits = visits[visits["outcome"].isin(["succeeded", "failed"])]
    rows = results["retries_and_give_ups"].set_index("site_id")
    assert list(rows.index)[0] == "all"
    sites = {"all": visits, **dict(iter(visits.groupby("site_id")))}
    assert set(rows.index) == set(sites)
    for site, own in sites.items():
        failed = own[own["outcome"].eq("failed")]
        again = own["attempts"].gt(1) & own["first"].ne("succeeded")
        assert rows.loc[site, "visits"] == len(own)
        assert rows.loc[site, "visits_with_retries"] == again.sum()
        assert (
            rows.loc[site, "visits_saved_by_retries"]
            == (again & own["outcome"].eq("succeeded")).sum()
        )
        assert rows.loc[site, "failed_visits"] == len(failed)
        assert rows.loc[site, "gave_up_at_once"] == failed["attempts"].eq(1).sum()
        assert rows.loc[site, "attempts_of_failed_visits"] == pytest.approx(
            failed["attempts"].mean(), nan_ok=True
        )
    drivers = rows.loc["all", "drivers_who_retried"]
    assert 0 < drivers <= rows.loc["all", "visits_with_retries"]


def test_the_wait_for_power_is_that_of_the_attempts(results, network):
    attempts = network["attempts"]
    powered = attempts[attempts["has_power_delivery"] & attempts["outcome"].ne("open")]
    wait = powered["power_started_at"].sub(powered["started_at"]).dt.total_seconds().clip(lower=0)
    rows = results["wait_for_power_by_mode"].set_index("attempt_mode")
    modes = {"pooled": wait, **dict(iter(wait.groupby(powered["attempt_mode"])))}
    assert set(rows.index) == set(modes)
    for mode, seconds in modes.items():
        assert rows.loc[mode, "attempts_with_start_time"] == len(seconds)
        for percentile in (10, 25, 50, 75):
            assert rows.loc[mode, f"seconds_p{percentile}"] == pytest.approx(
                np.percentile(seconds, percentile), abs=1e-6
            )


def test_damage_is_counted_by_kind_and_charger(results, network):
    damage = network["damage"]
    rows = results["damage_of_messages"].set_index("damage_kind")
    assert rows["findings"].to_dict() == damage["damage_kind"].value_counts().to_dict()
    for kind, own in damage.groupby("damage_kind"):
        chargers = own["charger_id"].value_counts()
        assert rows.loc[kind, "chargers"] == len(chargers)
        assert rows.loc[kind, "share_of_worst_charger"] == pytest.approx(chargers.max() / len(own))
        assert chargers[rows.loc[kind, "worst_charger_id"]] == chargers.max()
    scores = network["scores"].set_index("damage_kind")
    scored = scores[scores["injected"].gt(0) & scores["detected"].gt(0)]
    assert len(scored)
    for kind, score in scored.iterrows():
        assert rows.loc[kind, "precision_share"] == score["hits"] / score["detected"]
        assert rows.loc[kind, "recall_share"] == score["hits"] / score["injected"]


# --- trust ----------------------------------------------------------------------------------------


def test_the_trust_in_a_feed_follows_from_its_file(results, rejected, loads, reports):
    rows = results["feed_trust"].set_index("feed")
    spacers = sum(row["session_ID"] == "NA" for row in read_rows(seed(LOADS), rejected[LOADS]))
    for feed, counted in ((LOADS, len(loads) + spacers), (REPORTS, len(reports))):
        lines = sum(1 for _ in read_rows(seed(feed)))
        assert rows.loc[feed, "rows_read"] == lines
        assert rows.loc[feed, "accepted_share"] == pytest.approx(counted / lines, rel=1e-12)
        assert rows.loc[feed, "rejected_share"] == pytest.approx(
            len(rejected[feed]) / lines, rel=1e-12
        )
        assert rows.loc[feed, "unaccounted_rows"] == 0


def test_flagged_sessions_are_those_of_the_reports(results, reports):
    flags = {
        "open_session": reports["plugged_out"].isna(),
        "duration_conflict": reports["has_conflict"],
        "over_long": reports["connected"] > LONGEST,
        "no_energy": (reports["energy"] == 0) & (reports["connected"] > timedelta(0)),
    }
    rows = part(results, "flagged_sessions", source_system="residential").set_index("flag")
    for flag, flagged in flags.items():
        assert rows.loc[flag, "flagged_sessions"] == flagged.sum() > 0, flag
        assert rows.loc[flag, "share_of_sessions"] == pytest.approx(flagged.mean()), flag
        assert rows.loc[flag, "flagged_energy_kwh"] == kwh(reports.loc[flagged, "energy"].sum())


def test_flagged_sessions_of_experiments_are_those_of_the_feed(results, experiment_sessions):
    connected = experiment_sessions["plugged_out"] - experiment_sessions["plugged_in"]
    flags = {
        "open_session": connected.isna(),
        "over_long": connected > LONGEST,
        "no_energy": (experiment_sessions["energy"] == 0) & (connected > timedelta(0)),
        "unknown_user": experiment_sessions["user_id"] == "",
    }
    rows = part(results, "flagged_sessions", source_system="experiment").set_index("flag")
    assert set(rows["charging_sessions"]) == {len(experiment_sessions)}
    for flag, flagged in flags.items():
        assert rows.loc[flag, "flagged_sessions"] == flagged.sum(), flag
    # their feed names no station that could be missing
    assert rows.loc["unknown_station", "flagged_sessions"] == 0


def test_a_session_with_several_flags_counts_once_in_any(results):
    for _, source in results["flagged_sessions"].groupby("source_system"):
        rows = source.set_index("flag")["flagged_sessions"]
        single = rows.drop("any_flag")
        assert single.max() <= rows["any_flag"] <= single.sum()
        assert list(rows.index)[-1] == "any_flag"


def test_the_reports_have_days_that_the_figures_depend_on(reports):
    """The seed covers both clock changes, so that a figure on the wrong clock shows."""
    assert reports["plugged_in"].min() < datetime(2024, 3, 31) < reports["plugged_out"].max()
    assert reports["plugged_in"].min() < datetime(2024, 10, 27) < reports["plugged_out"].max()


# --- simulated fleets -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fleets(opened: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Half-hours of the cars of all runs, with their batteries."""
    cars = read_cars(opened)
    rows = pd.DataFrame(half_hours_of(cars))
    keys = list(zip(rows["run_id"], rows["user_id"], strict=True))
    for name in ("charger_kw", "battery_kwh", "reserve_soc_pct"):
        rows[name] = [getattr(cars[key], name) for key in keys]
    rows["spare_kwh"] = (
        (rows["soc_pct"] - rows["reserve_soc_pct"]).clip(lower=0) / 100 * rows["battery_kwh"]
    ).where(rows["is_connected"], 0)
    rows["spare_kw"] = rows["charger_kw"].where(rows["spare_kwh"] > 0, 0)
    rows["lacking_kwh"] = (
        (rows["target_soc_pct"] - rows["soc_pct"]).clip(lower=0) / 100 * rows["battery_kwh"]
    ).where(rows["is_connected"], 0)
    return rows


def test_soc_through_the_day_is_that_of_the_cars(results, fleets):
    hours = fleets[fleets["half_hour_of_day"] % 2 == 0]
    keys = ["run_id", "archetype", "half_hour_of_day"]
    expected = {
        (run, archetype, half_hour // 2): (
            group["soc_pct"].median(),
            group.loc[group["is_connected"], "soc_pct"].median(),
            (group["is_connected"] & group["soc_pct"].notna()).sum() / group["soc_pct"].count(),
        )
        for (run, archetype, half_hour), group in hours.groupby(keys)
    }
    rows = results["soc_through_the_day"]
    assert len(rows) == len(expected)
    for row in rows.itertuples():
        found = (row.soc_pct_p50, row.connected_soc_pct_p50, row.connected_share)
        found = [np.nan if value is None else value for value in found]
        key = (row.run_id, row.archetype, row.hour_of_day)
        assert found == pytest.approx(expected[key], abs=1e-6, nan_ok=True), key


def test_the_peak_of_a_fleet_is_that_of_its_half_hours(results, fleets):
    rows = results["peak_power_of_fleets"].set_index("run_id")
    assert set(rows.index) == set(fleets["run_id"])
    for run, half_hours in fleets.groupby("run_id"):
        net_kwh = half_hours["import_kwh"] - half_hours["export_kwh"]
        power = 2 * net_kwh.groupby(half_hours["half_hour_starts_at"]).sum()
        at_peak = half_hours[half_hours["half_hour_starts_at"] == power.idxmax()]
        row = rows.loc[run]
        assert row["peak_kw"] == pytest.approx(power.max(), abs=1e-4)
        assert row["peak_local_at"] == at_peak["half_hour_local_at"].iloc[0]
        assert row["cars"] == half_hours["user_id"].nunique()
        assert row["peak_kw_per_car"] == pytest.approx(row["peak_kw"] / row["cars"])
        assert row["load_factor"] == pytest.approx(power.mean() / power.max(), abs=1e-6)


def test_flexibility_is_that_of_the_cars_that_are_plugged_in(results, fleets):
    by_half_hour = fleets.groupby(["run_id", "half_hour_starts_at", "half_hour_local_at"])[
        ["is_connected", "spare_kw", "spare_kwh"]
    ].mean()
    by_half_hour = by_half_hour.reset_index()
    local = by_half_hour["half_hour_local_at"].dt
    kinds = np.where(local.day_of_week < 5, "weekday", "weekend")
    expected = {
        key: (
            len(group),
            group["is_connected"].mean(),
            group["spare_kw"].mean(),
            group["spare_kw"].min(),
            group["spare_kwh"].mean(),
        )
        for key, group in by_half_hour.groupby(["run_id", kinds, local.hour])
    }
    rows = results["flexibility_by_hour"]
    assert len(rows) == len(expected)
    for row in rows.itertuples():
        key = (row.run_id, row.day_kind, row.hour_of_day)
        found = (
            row.half_hours,
            row.connected_share,
            row.export_kw_per_car,
            row.lowest_export_kw_per_car,
            row.kwh_to_reserve_per_car,
        )
        assert found == pytest.approx(expected[key], abs=1e-6), key


def test_cars_are_full_in_the_morning_as_their_batteries_say(results, fleets):
    mornings = fleets[fleets["half_hour_of_day"] == 14]
    rows = results["cars_full_in_the_morning"].set_index(["run_id", "archetype"])
    groups = dict(list(mornings.groupby(["run_id", "archetype"])))
    assert set(rows.index) == set(groups)
    for key, group in groups.items():
        connected = group[group["is_connected"]]
        is_full = connected["soc_pct"] >= connected["target_soc_pct"]
        row = rows.loc[key]
        mornings_of_run = group["half_hour_starts_at"].nunique()
        assert row["mornings"] == mornings_of_run
        assert row["connected_cars"] == pytest.approx(len(connected) / mornings_of_run)
        if len(connected):
            assert row["full_share"] == pytest.approx(is_full.mean())
        if (~is_full).any():
            lacking = connected["lacking_kwh"].sum() / (~is_full).sum()
            assert row["kwh_short_per_car"] == pytest.approx(lacking, abs=1e-6)
    assert rows["full_share"].nunique() > 1


# --- driving and charging logs --------------------------------------------------------------------


@pytest.fixture(scope="module")
def logged_drives() -> pd.DataFrame:
    """Drives of the logs."""
    drives = pd.DataFrame(read_drives(seed("telematics__drives").parent).values())
    return drives.assign(km=drives["km_end"] - drives["km_start"])


@pytest.fixture(scope="module")
def timelines() -> dict[str, list[dict]]:
    """Records of the logs by vehicle."""
    return rebuilt(seed("telematics__drives").parent)


@pytest.fixture(scope="module")
def vehicles() -> dict[str, dict]:
    """Vehicles of the logs by id."""
    return read_vehicles(seed("telematics__vehicles").parent)


def test_long_drives_of_a_weekday_are_those_of_the_logs(results, logged_drives):
    local = logged_drives["start"].map(on_the_clock)
    minutes = (logged_drives["end"] - logged_drives["start"]).dt.total_seconds() / 60
    is_long = (logged_drives["km"] > 100) | (minutes > 90)
    first_hour = local.dt.hour.map(lambda hour: max(h for h in (0, 6, 11, 17) if h <= hour))
    groups = is_long.groupby([local.dt.day_of_week + 1, first_hour])
    days = pd.date_range(local.min().date(), local.max().date()).day_of_week.value_counts()
    rows = results["long_drives_by_weekday"].set_index(["iso_weekday", "first_hour"])
    assert len(rows) == groups.ngroups
    for (weekday, hour), group in groups:
        row = rows.loc[(weekday, hour)]
        assert (row["drives"], row["long_drives"]) == (len(group), group.sum())
        assert row["long_share"] == pytest.approx(group.mean())
        assert row["long_drives_per_day"] == pytest.approx(group.sum() / days[weekday - 1])
        share = minutes[group.index].sum() / minutes.sum()
        assert row["hours_driven_share"] == pytest.approx(share)


def test_hungry_types_are_compared_with_all_vehicles(results, logged_drives, vehicles):
    types = logged_drives["vehicle"].map(
        {name: row["vehicle_type"] for name, row in vehicles.items()}
    )
    metered = logged_drives["energy"].notna()
    overall = logged_drives[metered].groupby(types.fillna("unknown"))[["energy", "km"]].sum()
    consumption = overall["energy"].astype(float) / overall["km"]
    mean = float(overall["energy"].sum()) / overall["km"].sum()
    rows = results["energy_hungry_vehicle_types"]
    # the logs are of one month
    assert sorted(rows["vehicle_type"]) == sorted(consumption.index)
    for row in rows.itertuples():
        above = 100 * (consumption[row.vehicle_type] / mean - 1)
        assert row.above_all_pct == pytest.approx(above, abs=1e-4)
    weighted = (rows["times_as_often"] * rows["judged_drives"]).sum() / rows["judged_drives"].sum()
    assert weighted == pytest.approx(1)
    assert rows["times_as_often"].is_monotonic_decreasing


def test_charge_lost_while_standing_is_that_of_the_gaps(results, timelines, vehicles):
    days, lost = Counter(), Counter()
    for vehicle, records in timelines.items():
        battery = battery_class(vehicles[vehicle])
        for before, after in zip(records, records[1:], strict=False):
            if after["gap"] in {"standing", "standby_loss"}:
                days[battery] += hours_apart(before["end"], after["start"]) / 24
                if None not in (before["soc_end"], after["soc_start"]):
                    lost[battery] += before["soc_end"] - after["soc_start"]
    rows = results["charge_lost_while_standing"]
    assert set(rows["battery_class"]) == set(days)
    for row in rows.itertuples():
        battery = row.battery_class
        assert row.soc_lost_per_day_pct == pytest.approx(lost[battery] / days[battery], rel=1e-6)
        assert row.days_standing_per_vehicle * row.vehicles == pytest.approx(days[battery])
        assert 0 < row.share_of_soc_lost < 1


def test_completeness_of_charging_adds_up(results, timelines, vehicles):
    sessions, energy = Counter(), Counter()
    for vehicle, records in timelines.items():
        for session in sessions_of(records, vehicles[vehicle]["battery_kwh"]):
            key = session["completeness"], session["reason"] or "none"
            sessions[key] += 1
            energy[key] += session["energy"] or 0
    rows = results["complete_charging_sessions"].set_index(["completeness", "reason"])
    assert rows["sessions"].to_dict() == sessions
    assert rows["session_share"].sum() == pytest.approx(1)
    for key, row in rows.iterrows():
        assert float(row["energy_kwh"]) == pytest.approx(energy[key], abs=1e-3)
        assert row["energy_share"] == pytest.approx(energy[key] / energy.total(), abs=1e-6)
