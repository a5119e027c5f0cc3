"""The figures say what their data says, on any warehouse."""

import io
import re
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from PIL import Image

from draw_plots import draw_plots
from ev_charging import frames
from ev_charging.experiment import frames as experiment_frames
from ev_charging.fleet import controller_comparison
from ev_charging.load_profiles import DEFAULT_LOAD_PROFILE, LOAD_PROFILES
from ev_charging.plots.charge_start_time import (
    charge_start_time_figure,
    read_charge_start_times,
)
from ev_charging.plots.charging_costs import charging_costs_figure, read_charging_costs
from ev_charging.plots.coincidence import coincidence_figure, read_coincidence
from ev_charging.plots.consumption_by_type import consumption_by_type_figure, read_consumption
from ev_charging.plots.controllers import controllers_figure, read_comparison, read_mean_day
from ev_charging.plots.daily_load import daily_load_figure, read_daily_load
from ev_charging.plots.daily_looks import daily_looks_figure, read_looks
from ev_charging.plots.drive_lengths import drive_lengths_figure, read_drive_lengths
from ev_charging.plots.effect_by_method import effect_by_method_figure, read_effects
from ev_charging.plots.energy_per_user import energy_per_user_figure, read_user_energy
from ev_charging.plots.failure_reasons import failure_reasons_figure, read_failure_reasons
from ev_charging.plots.load_heat_map import load_heat_map_figure, read_load_by_hour
from ev_charging.plots.port_uptime import port_uptime_figure, read_port_uptime
from ev_charging.plots.power_by_archetype import power_by_archetype_figure, read_fleet_power
from ev_charging.plots.power_curve import power_curve_figure, read_power
from ev_charging.plots.session_distributions import read_sessions, session_distributions_figure
from ev_charging.plots.sessions_by_hour import read_starts, sessions_by_hour_figure
from ev_charging.plots.soc_by_archetype import read_soc, soc_by_archetype_figure
from ev_charging.plots.soc_timeline import read_timeline, soc_timeline_figure
from ev_charging.plots.station_success import read_station_success, station_success_figure
from ev_charging.plots.style import new_figure, png_bytes, shortened, write_atomically
from ev_charging.reliability.comparison import COMPARISON
from ev_charging.simulation import validation

PROFILE = "synthetic_7_2"
NAMES = [
    "daily_load.png",
    "load_heat_map.png",
    "session_distributions.png",
    "charging_costs.png",
    "effect_by_method.png",
    "daily_looks.png",
    "energy_per_user.png",
    "sessions_by_hour.png",
    "power_curve.png",
    "station_success.png",
    "failure_reasons.png",
    "port_uptime.png",
    "charge_start_time.png",
    "soc_by_archetype.png",
    "power_by_archetype.png",
    "controllers.png",
    "coincidence.png",
    "drive_lengths.png",
    "consumption_by_type.png",
    "soc_timeline.png",
]
PAGE_WIDTH_CM = (16, 17)
SMALLEST_FONT = 9

SQL_TYPES = {
    frames.TEXT: "varchar",
    frames.NUMBER: "double",
    frames.COUNT: "bigint",
    frames.FLAG: "boolean",
}


def empty_table(name, columns):
    """Return the statement that creates a table with the columns of its frame."""
    listed = ", ".join(f"{column} {SQL_TYPES[kind]}" for column, kind in columns.items())
    return f"create table {name} ({listed});"


EMPTY_MARTS = f"""
    create schema load;
    create schema core;
    create schema reference;
    create schema intermediate;
    create schema experiment;
    create schema reliability;
    create schema fleet;
    create schema mobility;
    create schema quality;
    create table mobility.drive_lengths_by_day (
        drive_date date, day_period varchar, first_hour integer, short_drives bigint,
        long_drives bigint
    );
    create table mobility.vehicle_type_consumption (
        month varchar, vehicle_type varchar, judged_drives bigint, hungry_drives bigint,
        hungry_share double, kwh_per_100km_p25 double, kwh_per_100km_p50 double,
        kwh_per_100km_p75 double, kwh_per_100km_p90 double
    );
    create table quality.telematics_damage_scores (damage_kind varchar);
    create table intermediate.int_telematics__timeline (
        vehicle_id varchar, segment_number bigint, segment_kind varchar, started_at timestamp,
        ended_at timestamp, soc_start_pct decimal(9, 4), soc_end_pct decimal(9, 4)
    );
    create table fleet.dispatch_delivery (
        run_id varchar, window_starts_at timestamp, window_ends_at timestamp
    );
    create table fleet.soc_by_archetype (
        run_id varchar, archetype varchar, resolution varchar, half_hour_starts_at timestamp,
        half_hour_local_at timestamp, fleet_part varchar, cars double, soc_pct_p10 double,
        soc_pct_p50 double, soc_pct_p90 double
    );
    create table fleet.power_by_archetype (
        run_id varchar, archetype varchar, resolution varchar, half_hour_starts_at timestamp,
        half_hour_local_at timestamp, half_hour_of_day integer, fleet_part varchar,
        total_import_kw double, total_net_kw double
    );
    {empty_table("fleet.controller_comparison", controller_comparison.COMPARISON)}
    {empty_table("fleet.simulation_validation", validation.VALIDATION)}
    create table reliability.station_reliability (
        station_key varchar, station_id varchar, station_name varchar, sessions_known bigint,
        sessions_succeeded bigint, success_rate double, success_rate_low double,
        success_rate_high double
    );
    create table reliability.station_failures (
        station_key varchar, failure_reason varchar, failure_class varchar, sessions bigint
    );
    create table reliability.port_uptime_monthly (
        port_key varchar, station_id varchar, evse_id integer, month_start_date date,
        uptime_pct double, is_compliant boolean, is_scaled boolean
    );
    create table reliability.fct_charge_attempts (
        attempt_mode varchar, charge_start_seconds bigint, has_power_delivery boolean
    );
    create table intermediate.int_network__reliability_limits (uptime_required_pct double);
    {empty_table("reliability.station_comparison", COMPARISON)}
    create table load.load_costs (
        load_profile varchar, month_start_date date, session_energy_kwh decimal(18, 6),
        shiftable_energy_kwh decimal(18, 6), immediate_cost_eur decimal(18, 6),
        cheapest_cost_eur decimal(18, 6)
    );
    create table reference.experiment_metrics (
        metric varchar, label varchar, unit varchar, role varchar,
        worthwhile_uplift_pct decimal(9, 4)
    );
    create table intermediate.int_experiments (experiment_id varchar, control_variant varchar);
    create table intermediate.int_experiment_sessions (
        experiment_id varchar, variant varchar, started_local_at timestamp, is_low_price boolean
    );
    create table experiment.experiment_users (
        experiment_id varchar, user_key varchar, variant varchar, metric varchar,
        numerator decimal(18, 6), denominator decimal(18, 6)
    );
    {empty_table("experiment.experiment_results", experiment_frames.RESULTS)}
    {empty_table("experiment.experiment_looks", experiment_frames.LOOKS)}
    {empty_table("experiment.experiment_power", experiment_frames.POWER)}
    create table load.daily_load (
        load_profile varchar, date_key date, energy_kwh decimal(18, 6),
        mean_energy_7_days_kwh double, is_peak_day boolean
    );
    create table load.load_profile_by_hour (
        load_profile varchar, iso_weekday integer, hour_of_day integer, mean_load_kwh double
    );
    create table core.fct_charging_sessions (
        source_system varchar, session_id varchar, energy_kwh decimal(18, 6),
        connected_minutes decimal(18, 6), outcome varchar, is_over_long boolean
    );
"""


def daily_frame(days=400, peak_day=120):
    """Return days of 50 kWh with one peak of 200 kWh."""
    energy_kwh = np.full(days, 50.0)
    energy_kwh[peak_day] = 200.0
    return pd.DataFrame(
        {
            "date_key": pd.date_range("2024-01-01", periods=days),
            "energy_kwh": energy_kwh,
            "mean_energy_7_days_kwh": pd.Series(energy_kwh).rolling(7, min_periods=1).mean(),
            "is_peak_day": np.arange(days) == peak_day,
        }
    )


def hours_frame():
    """Return a week of 1 kWh per hour with a peak of 12.3 kWh on Thursday at 18:00."""
    hours = pd.DataFrame(
        [(day, hour, 1.0) for day in range(1, 8) for hour in range(24)],
        columns=["iso_weekday", "hour_of_day", "mean_load_kwh"],
    )
    is_peak = (hours["iso_weekday"] == 4) & (hours["hour_of_day"] == 18)
    hours.loc[is_peak, "mean_load_kwh"] = 12.3
    return hours


def sessions_frame():
    """Return sessions of 4, 8 and 30 kWh and 2, 4 and 6 h, one open and one over-long."""
    return pd.DataFrame(
        {
            "source_system": "residential",
            "energy_kwh": [4.0, 8.0, 30.0, 8.0, 8.0],
            "connected_minutes": [120.0, 240.0, 360.0, np.nan, 30_000.0],
            "is_open": [False, False, False, True, False],
            "is_over_long": [False, False, False, False, True],
        }
    )


def costs_frame():
    """Return two months that cost 30 and 10 EUR and could cost 20 and 10, and one without price."""
    return pd.DataFrame(
        {
            "month_start_date": pd.date_range("2024-01-01", periods=3, freq="MS"),
            "session_energy_kwh": [300.0, 100.0, 100.0],
            "shiftable_energy_kwh": [250.0, 100.0, 0.0],
            "immediate_cost_eur": [30.0, 10.0, np.nan],
            "cheapest_cost_eur": [20.0, 10.0, np.nan],
        }
    )


COMPARISON = {"experiment_id": "a_test", "treatment_variant": "signal"}
LOW_PRICE = {"metric": "low_price_share", "label": "Low-price sessions", "role": "primary"}
COST = {"metric": "cost_per_kwh", "label": "Cost per kWh", "role": "guardrail"}


def effects_frame():
    """Return +10 % in a primary, whose design effect is 4, and -5 % in a guardrail."""
    rows = [
        {**LOW_PRICE, "method": "naive_two_proportion_z", "half": 0.02, "design_effect": 4.0},
        {**LOW_PRICE, "method": "naive_welch", "half": 0.02, "design_effect": 4.0},
        {**LOW_PRICE, "method": "delta", "half": 0.04, "design_effect": 4.0},
        {**LOW_PRICE, "method": "hc3", "half": 0.04, "design_effect": 4.0},
        {**LOW_PRICE, "method": "bootstrap_bca", "half": np.nan, "design_effect": 4.0},
        {**COST, "method": "delta", "half": 0.03, "design_effect": np.nan},
        {**COST, "method": "cuped", "half": 0.02, "design_effect": np.nan},
    ]
    effects = pd.DataFrame([{**COMPARISON, **row} for row in rows])
    effects["relative_difference"] = np.where(effects["role"] == "primary", 0.1, -0.05)
    effects["relative_ci_low"] = effects["relative_difference"] - effects["half"]
    effects["relative_ci_high"] = effects["relative_difference"] + effects["half"]
    return effects.drop(columns="half")


def looks_frame():
    """Return a share that excludes 0 at every look from day 4 on, and energy that never does."""
    days = pd.DataFrame({"day_number": np.arange(1, 15)})
    error = 0.1 / np.sqrt(days["day_number"])
    metrics = []
    for metric, label, unit, difference in (
        ("energy_per_session", "Energy per session", "kWh", 0.0),
        ("low_price_share", "Low-price sessions", "share", 0.151),
    ):
        looks = days.assign(**COMPARISON, metric=metric, label=label, unit=unit)
        looks["difference"] = difference
        for kind, width in (("fixed", 2), ("anytime", 3)):
            looks[f"{kind}_ci_low"] = difference - width * error
            looks[f"{kind}_ci_high"] = difference + width * error
        metrics.append(looks)
    return pd.concat(metrics, ignore_index=True)


def users_frame():
    """Return 1 to 99 kWh per user in control, twice as much in treatment, and 2 who never came."""
    energy_kwh = np.arange(1.0, 100.0)
    arms = [
        pd.DataFrame(
            {
                "experiment_id": "a_test",
                "treatment_variant": variant,
                "energy_kwh": [*factor * energy_kwh, 0.0, 0.0],
                "sessions": [*np.ones(99), 0.0, 0.0],
            }
        )
        for variant, factor in ((None, 1), ("signal", 2))
    ]
    return pd.concat(arms, ignore_index=True)


def starts_frame():
    """Return sessions at 2:00, low-price on one of two days, and at 18:00, half of them unknown."""
    rows = [
        # variant, day, hour, sessions, known, low-price
        (None, 1, 2, 1, 1, 1),
        (None, 2, 2, 1, 1, 0),
        (None, 1, 18, 6, 2, 0),
        ("signal", 1, 2, 3, 3, 3),
        ("signal", 1, 18, 1, 1, 0),
    ]
    names = ["treatment_variant", "day", "hour_of_day", "sessions"]
    starts = pd.DataFrame(rows, columns=[*names, "known_sessions", "low_price_sessions"])
    starts["date_key"] = pd.Timestamp("2024-10-20") + pd.to_timedelta(starts.pop("day"), "D")
    return starts.assign(experiment_id="a_test")


def power_frame():
    """Return 1,000 users who can see 8 %, or 4 % with CUPED, in the two weeks observed."""
    rows = [("delta", 1.0, 9.0), ("delta", 2.0, 8.0), ("cuped", 2.0, 4.0)]
    power = pd.DataFrame(rows, columns=["method", "weeks", "mde_relative_pct"])
    return power.assign(
        **COMPARISON,
        metric="low_price_share",
        label="Low-price sessions",
        worthwhile_uplift_pct=5.0,
        is_observed=power["weeks"] == 2,
        users=1000,
    )


def stations_frame(stations=7):
    """Return stations of 100 sessions with 50, 60, 70, ... successes; the first is worse."""
    succeeded = 50 + np.arange(stations) * 40 // max(stations - 1, 1)
    return pd.DataFrame(
        {
            "label": [f"Station {place} of this site" for place in range(stations)],
            "sessions_known": 100,
            "sessions_succeeded": succeeded,
            "success_rate": succeeded / 100,
            "success_rate_low": succeeded / 100 - 0.1,
            "success_rate_high": succeeded / 100 + 0.08,
            "verdict": ["worse", *["not_distinguishable"] * (stations - 2), "better"],
            "shrunken_success_rate": succeeded / 100,
        }
    )


def failures_frame(stations=3):
    """Return stations with 1, 2, 3, ... sessions without power, and a fault at each."""
    rows = [
        (f"k{place:02d}", f"Station {place}", failure_class, sessions, 100)
        for place in range(stations)
        for failure_class, sessions in (("no_power", place + 1), ("stopped", 1))
    ]
    names = ["station_key", "label", "failure_class", "sessions", "sessions_known"]
    return pd.DataFrame(rows, columns=names)


def uptime_frame(months=2, ports=4):
    """Return ports that are up for 94, 96, 98 and 100 % of the time."""
    rows = [
        (f"k{port}", f"CH-{port} port 1", month, pct, pct > 97, True, 97.0)
        for port, pct in enumerate(np.linspace(94, 100, ports))
        for month in pd.date_range("2024-10-01", periods=months, freq="MS")
    ]
    names = ["port_key", "label", "month_start_date", "uptime_pct"]
    flags = ["is_compliant", "is_scaled", "uptime_required_pct"]
    return pd.DataFrame(rows, columns=[*names, *flags])


def waits_frame():
    """Return 100 attempts that wait for 1, 2, ... 100 s, and others that wait twice as long."""
    seconds = np.arange(1.0, 101.0)
    return pd.concat(
        pd.DataFrame({"attempt_mode": mode, "seconds": factor * seconds, "attempts": 1})
        for mode, factor in (("plug_in_first", 1), ("remote_start", 2))
    )


def half_hours(days=4, first="2024-10-26", time_zone="Europe/Oslo"):
    """Return the half-hours of local days, by default those around an autumn clock change."""
    end = pd.Timestamp(first) + pd.Timedelta(days=days)
    local = pd.date_range(first, end, freq="30min", inclusive="left", tz=time_zone)
    return pd.DataFrame(
        {
            "half_hour_starts_at": local.tz_convert("UTC").tz_localize(None),
            "half_hour_local_at": local.tz_localize(None),
        }
    )


def fleet_rows(archetypes=6, runs=("dispatch", "uncontrolled"), dispatch_day="2024-10-27"):
    """Return the half-hours of each run and archetype; `dispatch` has a window at 17:00."""
    rows = [
        half_hours().assign(run_id=run, archetype=f"Archetype {place}", cars=10 * (place + 1))
        for run in runs
        for place in range(archetypes)
    ]
    fleet = pd.concat(rows, ignore_index=True)
    local = fleet["half_hour_local_at"]
    is_window = (local.dt.normalize() == dispatch_day) & (local.dt.hour == 17)
    return fleet.assign(is_dispatched=is_window & (fleet["run_id"] == "dispatch"))


def soc_frame(**options):
    """Return cars that are charged to 60 % all day, 52 % in the dispatch window."""
    soc = fleet_rows(**options)
    soc["soc_pct_p50"] = np.where(soc["is_dispatched"], 52.0, 60.0)
    soc["connected_soc_pct_p50"] = np.where(
        soc["half_hour_local_at"].dt.hour == 12, np.nan, soc["soc_pct_p50"] + 5
    )
    return soc.assign(
        soc_pct_p10=soc["soc_pct_p50"] - 20,
        soc_pct_p90=soc["soc_pct_p50"] + 20,
    )


def fleet_power_frame(**options):
    """Return 1 kW per archetype at 0:00, 10 kW at 20:00, and 4 kW of export in the window."""
    power = fleet_rows(**options)
    hour = power["half_hour_local_at"].dt.hour
    return power.assign(
        import_kw=np.select([hour == 20, hour == 0], [10.0, 1.0], 0.0),
        export_kw=np.where(power["is_dispatched"], 4.0, 0.0),
    )


def mean_day_frame(runs=("dispatch", "smart", "uncontrolled")):
    """Return 10 kW at 18:00 of one run, at 2:00 of another, and export at 17:00 of the third."""
    hours = np.arange(0, 24, 0.5)
    power = {
        "uncontrolled": np.where(hours == 18, 10.0, 1.0),
        "smart": np.where(hours == 2, 10.0, 1.0),
        "dispatch": np.where(hours == 17, -5.0, 1.0),
    }
    return pd.concat(
        pd.DataFrame({"run_id": run, "hour_of_day": hours, "power_kw": power.get(run, 2.0)})
        for run in runs
    )


def comparison_frame():
    """Return runs that cost 10 % less and 5 % more than uncontrolled."""
    rows = [
        ("dispatch", "cost_eur", 2.1, 2.0),
        ("dispatch", "fleet_peak_kw", 30.0, 20.0),
        ("smart", "cost_eur", 1.8, 2.0),
        ("smart", "fleet_peak_kw", 40.0, 20.0),
    ]
    comparison = pd.DataFrame(rows, columns=["run_id", "metric", "value", "reference_value"])
    return comparison.assign(reference_run_id="uncontrolled")


def factors_frame(loaded=()):
    """Return real factors of 1, 0.4 and 0.2 for 1, 10 and 100 cars, simulated ones 0.01 above."""
    fleets = [("reference_run", "uncontrolled", True), *loaded]
    rows = [
        (fleet, run, cars, real, real, real + 0.01, passes)
        for fleet, run, passes in fleets
        for cars, real in ((1, 0.99), (10, 0.4), (100, 0.2))
    ]
    names = ["fleet", "run_id", "cars", "real_low", "real_high", "simulated_value", "passes"]
    return pd.DataFrame(rows, columns=names).assign(tolerance=0.03, users=3000)


PERIODS = {"night": 0, "morning": 6, "afternoon": 11, "evening": 17}


def drives_frame(first="2025-06-01", days=30):
    """Return 10 short drives per period of every day, and a long one in each morning."""
    rows = [
        (date, period, hour, 10, int(period == "morning"))
        for date in pd.date_range(first, periods=days)
        for period, hour in PERIODS.items()
    ]
    names = ["drive_date", "day_period", "first_hour", "short_drives", "long_drives"]
    return pd.DataFrame(rows, columns=names)


def consumption_frame(types=5):
    """Return types that consume 15, 20, ... kWh per 100 km; the last makes most hungry drives."""
    rows = [
        {
            "month": month,
            "vehicle_type": f"A type of vehicle no. {place}",
            "judged_drives": 100,
            "hungry_drives": 2 * place,
            "hungry_share": 0.02 * place,
        }
        | {f"kwh_per_100km_p{p}": 15 + 5 * place + p / 10 for p in (25, 50, 75, 90)}
        for month in ("2025-05", "2025-06")
        for place in range(types)
    ]
    return pd.DataFrame(rows)


def timeline_frame():
    """Return a drive, a charge, and a charge that is inferred, of which one SOC isn't known."""
    rows = [
        ("drive", 7.0, 8.0, 80.0, 70.0),
        ("standing", 8.0, 16.0, 70.0, 69.5),
        ("charge", 16.0, 20.0, 69.5, 90.0),
        ("standby_loss", 20.0, 60.0, 90.0, 88.0),
        ("drive", 60.0, 61.0, 88.0, 60.0),
        ("inferred_session", 61.0, 80.0, 60.0, 85.0),
        ("charge", 80.0, 81.0, 85.0, np.nan),
    ]
    names = ["segment_kind", "start_hour", "end_hour", "soc_start_pct", "soc_end_pct"]
    return pd.DataFrame(rows, columns=names)


FULL_FIGURES = {
    "daily_load": lambda: daily_load_figure(daily_frame(), PROFILE),
    "load_heat_map": lambda: load_heat_map_figure(hours_frame(), PROFILE),
    "session_distributions": lambda: session_distributions_figure(sessions_frame()),
    "charging_costs": lambda: charging_costs_figure(costs_frame(), PROFILE),
    "effect_by_method": lambda: effect_by_method_figure(effects_frame()),
    "daily_looks": lambda: daily_looks_figure(looks_frame()),
    "energy_per_user": lambda: energy_per_user_figure(users_frame()),
    "sessions_by_hour": lambda: sessions_by_hour_figure(starts_frame()),
    "power_curve": lambda: power_curve_figure(power_frame()),
    "station_success": lambda: station_success_figure(stations_frame()),
    "success_of_many_stations": lambda: station_success_figure(stations_frame(300)),
    "failure_reasons": lambda: failure_reasons_figure(failures_frame()),
    "failures_of_many_stations": lambda: failure_reasons_figure(failures_frame(60)),
    "port_uptime": lambda: port_uptime_figure(uptime_frame()),
    "uptime_of_many_ports": lambda: port_uptime_figure(uptime_frame(24, 60)),
    "charge_start_time": lambda: charge_start_time_figure(waits_frame()),
    "soc_by_archetype": lambda: soc_by_archetype_figure(soc_frame()),
    "soc_of_many_archetypes": lambda: soc_by_archetype_figure(soc_frame(archetypes=30)),
    "soc_of_one_archetype": lambda: soc_by_archetype_figure(soc_frame(archetypes=1)),
    "soc_that_is_unknown": lambda: soc_by_archetype_figure(
        soc_frame().assign(soc_pct_p10=np.nan, soc_pct_p50=np.nan, soc_pct_p90=np.nan)
    ),
    "power_by_archetype": lambda: power_by_archetype_figure(fleet_power_frame()),
    "power_of_many_archetypes": lambda: power_by_archetype_figure(fleet_power_frame(archetypes=30)),
    "controllers": lambda: controllers_figure(mean_day_frame(), comparison_frame()),
    "controllers_of_many_runs": lambda: controllers_figure(
        mean_day_frame([f"run number {number} of a study" for number in range(30)]),
        comparison_frame().iloc[:0],
    ),
    "coincidence": lambda: coincidence_figure(factors_frame()),
    "coincidence_of_runs": lambda: coincidence_figure(
        factors_frame([("loaded", "smart", True), ("loaded", "uncontrolled", None)])
    ),
    "drive_lengths": lambda: drive_lengths_figure(drives_frame()),
    "drives_of_a_year": lambda: drive_lengths_figure(drives_frame(days=400)),
    "consumption_by_type": lambda: consumption_by_type_figure(consumption_frame()),
    "consumption_of_many_types": lambda: consumption_by_type_figure(consumption_frame(60)),
    "soc_timeline": lambda: soc_timeline_figure(timeline_frame()),
}
EMPTY_FIGURES = {
    "daily_load": lambda: daily_load_figure(daily_frame().iloc[:0], PROFILE),
    "load_heat_map": lambda: load_heat_map_figure(hours_frame().iloc[:0], PROFILE),
    "session_distributions": lambda: session_distributions_figure(sessions_frame().iloc[:0]),
    "charging_costs": lambda: charging_costs_figure(costs_frame().iloc[2:], PROFILE),
    "effect_by_method": lambda: effect_by_method_figure(effects_frame().iloc[:0]),
    "effect_without_a_comparison": lambda: effect_by_method_figure(
        effects_frame().assign(relative_difference=np.nan)
    ),
    "daily_looks": lambda: daily_looks_figure(looks_frame().assign(difference=np.nan)),
    "energy_per_user": lambda: energy_per_user_figure(users_frame().iloc[:0]),
    "energy_of_users_without_sessions": lambda: energy_per_user_figure(
        users_frame().assign(sessions=0)
    ),
    "sessions_by_hour": lambda: sessions_by_hour_figure(starts_frame().iloc[:0]),
    "power_curve": lambda: power_curve_figure(power_frame().assign(mde_relative_pct=np.nan)),
    "station_success": lambda: station_success_figure(stations_frame().iloc[:0]),
    "failure_reasons": lambda: failure_reasons_figure(failures_frame().iloc[:0]),
    "port_uptime": lambda: port_uptime_figure(uptime_frame().iloc[:0]),
    "charge_start_time": lambda: charge_start_time_figure(waits_frame().iloc[:0]),
    "soc_by_archetype": lambda: soc_by_archetype_figure(soc_frame().iloc[:0]),
    "power_by_archetype": lambda: power_by_archetype_figure(fleet_power_frame().iloc[:0]),
    "controllers": lambda: controllers_figure(
        mean_day_frame().iloc[:0], comparison_frame().iloc[:0]
    ),
    "coincidence": lambda: coincidence_figure(factors_frame().iloc[:0]),
    "drive_lengths": lambda: drive_lengths_figure(drives_frame().iloc[:0]),
    "consumption_by_type": lambda: consumption_by_type_figure(consumption_frame().iloc[:0]),
}


def texts(figure: Figure) -> list[str]:
    """Return every text of a figure that is drawn."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(_is_shown_text)]


def _is_shown_text(artist) -> bool:
    return hasattr(artist, "get_fontsize") and artist.get_visible() and bool(artist.get_text())


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_a_figure_fits_a_page_and_can_be_read(name):
    figure = FULL_FIGURES[name]()
    width_cm = figure.get_size_inches()[0] * 2.54
    assert PAGE_WIDTH_CM[0] <= width_cm <= PAGE_WIDTH_CM[1]
    assert 150 <= figure.dpi <= 200
    figure.canvas.draw()
    assert min(text.get_fontsize() for text in figure.findobj(_is_shown_text)) >= SMALLEST_FONT


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_nothing_is_cut_off_at_the_edge(name):
    figure = FULL_FIGURES[name]()
    figure.canvas.draw()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_title_key_and_note_keep_apart(name):
    figure = FULL_FIGURES[name]()
    figure.canvas.draw()
    words = [text for text in figure.texts if text.get_text()]
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    boxes = [artist.get_window_extent() for artist in [*words, *figure.legends, *legends]]
    assert boxes
    for first, second in combinations(boxes, 2):
        assert not first.overlaps(second)
    drawn = [axes.get_window_extent() for axes in figure.axes]
    assert not any(box.overlaps(panel) for box in boxes[: len(words)] for panel in drawn)


def test_daily_load_marks_the_peak_day():
    days = daily_frame()
    figure = daily_load_figure(days, PROFILE)
    (axes,) = figure.axes
    assert figure.get_suptitle() == "Peak day 30 April 2024: 200 kWh, 4.0 times the average"
    assert axes.get_ylabel() == "Energy (kWh per day)"
    assert axes.get_xlabel() == "Local day, 1 January 2024 to 3 February 2025"
    mean, peak = axes.lines
    assert mean.get_label() == "Mean of the last 7 days"
    assert list(mean.get_ydata()) == list(days["mean_energy_7_days_kwh"])
    assert list(peak.get_xdata()) == [date2num(pd.Timestamp("2024-04-30"))]
    assert list(peak.get_ydata()) == [200.0]
    assert "30 April 2024: 200 kWh" in texts(figure)


@pytest.mark.parametrize("days", [1, 2, 10, 4000])
def test_daily_load_works_for_short_and_long_feeds(days):
    figure = daily_load_figure(daily_frame(days, peak_day=days - 1), PROFILE)
    width, _ = figure.canvas.get_width_height()
    figure.canvas.draw()
    label = next(t for t in figure.findobj(_is_shown_text) if t.get_text().endswith(": 200 kWh"))
    assert label.get_window_extent().x0 >= 0
    assert label.get_window_extent().x1 <= width


def test_days_without_any_energy_are_drawn():
    days = daily_frame(5, 0).assign(energy_kwh=0.0, mean_energy_7_days_kwh=0.0)
    assert daily_load_figure(days, PROFILE).get_suptitle() == "Peak day 1 January 2024: 0 kWh"


def test_heat_map_names_and_marks_the_peak_hour():
    figure = load_heat_map_figure(hours_frame(), PROFILE)
    axes, colour_bar = figure.axes
    assert figure.get_suptitle() == "Neighbourhood load peaks at 18:00 on Thursdays (12.3 kWh)"
    assert colour_bar.get_ylabel() == "Mean load (kWh per hour)"
    assert axes.get_xlabel() == "Local time (hour of the day)"
    assert [label.get_text() for label in axes.get_yticklabels()][::6] == ["Monday", "Sunday"]
    (mark,) = axes.patches
    assert mark.get_xy() == (18, 3)
    grid = axes.collections[0].get_array().reshape(7, 24)
    assert grid[3, 18] == 12.3
    assert grid.sum() == pytest.approx(7 * 24 - 1 + 12.3)


def test_heat_map_leaves_hours_without_data_grey():
    hours = hours_frame().query("iso_weekday != 7")
    figure = load_heat_map_figure(hours, PROFILE)
    grid = figure.axes[0].collections[0].get_array().reshape(7, 24)
    assert grid.mask[6].all()
    assert not grid.mask[:6].any()
    assert "Grey: hours that the data doesn't cover." in texts(figure)


def test_heat_map_of_zeros_has_a_scale():
    figure = load_heat_map_figure(hours_frame().assign(mean_load_kwh=0.0), PROFILE)
    assert figure.get_suptitle() == "No energy in any hour of the week"
    assert figure.axes[0].collections[0].get_clim() == (0, 1)


def test_open_and_over_long_sessions_count_with_their_energy_only():
    figure = session_distributions_figure(sessions_frame())
    energy, connection = figure.axes
    assert figure.get_suptitle() == "Median session (residential): 8.0 kWh, connected for 4.0 h"
    assert energy.get_xlabel() == "Energy (kWh)"
    assert connection.get_xlabel() == "Connection time (h)"
    assert sum(bar.get_height() for bar in energy.patches) == 5
    assert sum(bar.get_height() for bar in connection.patches) == 3
    assert [line.get_label() for line in energy.lines] == ["Median 8.0 kWh", "Mean 11.6 kWh"]
    assert [line.get_label() for line in connection.lines] == ["Median 4.0 h", "Mean 4.0 h"]
    assert "5 sessions, of which 1 open and 1 over-long" in " ".join(texts(figure))


def test_values_far_out_are_counted_in_the_note():
    minutes = np.append(np.full(999, 600.0), 18_000.0)
    sessions = pd.DataFrame(
        {
            "source_system": "residential",
            "energy_kwh": 10.0,
            "connected_minutes": minutes,
            "is_open": False,
            "is_over_long": False,
        }
    )
    figure = session_distributions_figure(sessions)
    connection = figure.axes[1]
    assert sum(bar.get_height() for bar in connection.patches) == 999
    assert connection.lines[1].get_label() == "Mean 10.3 h"
    assert "1 above 10 h are not drawn" in " ".join(texts(figure)).replace("\n", " ")


def test_sessions_that_are_all_open_have_no_connection_time():
    sessions = sessions_frame().assign(is_open=True, connected_minutes=np.nan)
    figure = session_distributions_figure(sessions)
    assert figure.get_suptitle() == "Median session (residential): 8.0 kWh"
    assert any(text.startswith("No data") for text in texts(figure))


def test_residential_sessions_are_drawn_and_others_only_without_them():
    with duckdb.connect() as connection:
        connection.execute(EMPTY_MARTS)
        insert = "insert into core.fct_charging_sessions values (?, '1', 7.0, 60, 'succeeded', ?)"
        connection.execute(insert, ["simulator", False])
        connection.execute(insert, ["experiment", None])
        assert list(read_sessions(connection)["source_system"]) == ["experiment"]
        figure = session_distributions_figure(read_sessions(connection))
        assert figure.get_suptitle().startswith("Median session (experiment): 7.0 kWh")
        connection.execute(insert, ["residential", False])
        assert list(read_sessions(connection)["source_system"]) == ["residential"]


def test_sessions_of_logs_last_as_long_as_they_charge():
    figure = session_distributions_figure(sessions_frame().assign(source_system="telematics"))
    assert figure.get_suptitle() == "Median session (telematics): 8.0 kWh, charging for 4.0 h"
    assert figure.axes[1].get_xlabel() == "Charging time (h)"
    assert "Charging time per session" in texts(figure)


def test_costs_are_compared_month_by_month():
    figure = charging_costs_figure(costs_frame(), PROFILE)
    (axes,) = figure.axes
    assert figure.get_suptitle() == "The cheapest hours of each stay would save 25 % (10 EUR)"
    assert axes.get_ylabel() == "Cost of energy\n(EUR per month)"
    assert [bar.get_height() for bar in axes.patches] == [30, 10, 20, 10]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Jan\n2024", "Feb\n2024"]
    assert "Sessions with 70 % of the energy" in " ".join(texts(figure))


def test_energy_that_costs_nothing_saves_no_share():
    months = costs_frame().assign(immediate_cost_eur=-1.0, cheapest_cost_eur=-3.0)
    title = charging_costs_figure(months, PROFILE).get_suptitle()
    assert title == "The cheapest hours of each stay would save 6 EUR"


def test_effects_show_the_wrong_method_beside_the_right_ones():
    figure = effect_by_method_figure(effects_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle().replace("\n", " ") == (
        "Intervals that treat sessions as independent are up to 2.0 times too narrow"
        " (Low-price sessions)"
    )
    assert axes.get_xlabel() == "Difference to control (% of control)"
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "Low-price sessions\n(primary)",
        "Cost per kWh\n(guardrail)",
    ]
    key = [text.get_text() for text in axes.get_legend().get_texts()]
    assert key == [
        "Wrong: treats sessions as independent",
        "By users (delta method)",
        "By users (regression, HC3)",
        "By users, with CUPED",
    ]
    intervals = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    # The last line is the one at 0; one naive method is drawn, none without an interval.
    assert sorted(map(tuple, np.round(intervals[:-1], 6))) == [
        (-8.0, -2.0),
        (-7.0, -3.0),
        (6.0, 14.0),
        (6.0, 14.0),
        (8.0, 12.0),
    ]


def test_effects_without_naive_methods_have_no_finding_about_them():
    guardrails = effects_frame().query("role == 'guardrail'")
    title = effect_by_method_figure(guardrails).get_suptitle()
    assert title == "Effect of the experiment on each metric"


def test_an_interval_far_out_is_cut_and_said_so():
    effects = effects_frame()
    effects.loc[effects["metric"] == "cost_per_kwh", "relative_ci_high"] = 50.0
    figure = effect_by_method_figure(effects)
    assert figure.axes[0].get_xlim()[1] < 120
    assert "beyond the axis are cut" in " ".join(texts(figure)).replace("\n", " ")


def test_the_first_experiment_is_drawn_and_named():
    first = effects_frame()
    other_arm = first.assign(treatment_variant="tariff", relative_difference=0.5)
    other_test = first.assign(experiment_id="b_test", relative_difference=0.7)
    effects = pd.concat([other_test, other_arm, first])
    figure = effect_by_method_figure(effects)
    heading = "Experiment a_test: signal against control (the first of 3)"
    assert figure.axes[0].get_legend().get_title().get_text() == heading
    assert max(line.get_xdata()[0] for line in figure.axes[0].lines) < 20


def test_looks_say_from_when_on_an_effect_is_certain():
    figure = daily_looks_figure(looks_frame())
    energy, share = figure.axes
    assert figure.get_suptitle().replace("\n", " ") == (
        "Effect that holds at every look: Low-price sessions from day 4"
    )
    assert energy.get_ylabel() == "Energy per session\n(kWh)"
    assert share.get_ylabel() == "Low-price sessions\n(percentage points)"
    assert share.get_xlabel() == "Day of the experiment (1 = first local day)"
    difference = next(line for line in share.lines if line.get_label() == "Difference to control")
    assert list(difference.get_ydata()) == pytest.approx([15.1] * 14)


def test_looks_without_a_certain_effect_say_so():
    energy = looks_frame().query("metric == 'energy_per_session'")
    title = daily_looks_figure(energy).get_suptitle()
    assert title == "No effect holds at every look up to day 14"


def test_a_difference_of_nothing_has_a_scale():
    looks = looks_frame()
    bounds = [name for name in looks if "_ci_" in name]
    figure = daily_looks_figure(looks.assign(difference=0.0, **dict.fromkeys(bounds, 0.0)))
    assert figure.axes[0].get_ylim() == (-1, 1)


def test_energy_per_user_compares_the_arms():
    figure = energy_per_user_figure(users_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle() == "Median user: 50.0 kWh in control, 100.0 kWh in signal"
    assert axes.get_xlabel() == "Energy per user during the experiment (kWh)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "control: median 50.0 kWh, 99 users",
        "signal: median 100.0 kWh, 99 users",
    ]
    note = " ".join(texts(figure)).replace("\n", " ")
    assert "users without sessions, 2 in control and 2 in signal." in note


@pytest.mark.parametrize("is_missing", [True, False])
def test_an_arm_may_be_missing(is_missing):
    """With control alone, and with the treatment alone."""
    users, starts = users_frame(), starts_frame()
    users = users[users["treatment_variant"].isna() == is_missing]
    starts = starts[starts["treatment_variant"].isna() == is_missing]
    arm = "control" if is_missing else "signal"
    assert energy_per_user_figure(users).get_suptitle().endswith(f"kWh in {arm}")
    assert sessions_by_hour_figure(starts).get_suptitle().endswith(f" % in {arm}")


def test_sessions_by_hour_are_shares_of_their_arm():
    figure = sessions_by_hour_figure(starts_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle().replace("\n", " ") == (
        "Sessions that start in a low-price hour: 25.0 % in control, 75.0 % in signal"
    )
    outlines = {
        patch.get_label(): patch for patch in axes.patches if "sessions)" in patch.get_label()
    }
    assert set(outlines) == {"control (8 sessions)", "signal (4 sessions)"}
    control = outlines["control (8 sessions)"].get_data().values
    assert (control[2], control[18]) == (0.25, 0.75)
    shades = [patch for patch in axes.patches if patch.get_label() not in outlines]
    # At 2:00 on half of the days, at 18:00 never.
    assert [shade.get_x() for shade in shades] == [2]
    assert "4 sessions without a known price" in " ".join(texts(figure))


def test_sessions_without_prices_are_drawn():
    figure = sessions_by_hour_figure(starts_frame().assign(known_sessions=0, low_price_sessions=0))
    assert figure.get_suptitle() == "Sessions by hour; no price is known"
    assert len(figure.axes[0].patches) == 2


def test_power_falls_with_the_root_of_the_users():
    figure = power_curve_figure(power_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle() == ("What 1,000 users can see: Low-price sessions 4.0 % (CUPED)")
    assert axes.get_ylabel() == "Low-price sessions\n(% of control)"
    curve = next(line for line in axes.lines if line.get_label() == "By users (delta method)")
    users, effect = curve.get_data()
    assert np.interp(4000, users, effect) == pytest.approx(4.0, rel=1e-3)
    assert np.interp(1000, users, effect) == pytest.approx(8.0, rel=1e-3)
    uplift = next(line for line in axes.lines if line.get_label().startswith("Smallest effect"))
    assert set(uplift.get_ydata()) == {5.0}
    assert "Users of this experiment: 1,000" in texts(figure)
    assert "After 2 weeks." in " ".join(texts(figure))


def test_each_detectable_effect_names_its_method():
    power = power_frame()
    power.loc[power["method"] == "cuped", "mde_relative_pct"] = 9.0
    title = power_curve_figure(power).get_suptitle().replace("\n", " ")
    assert title == "What 1,000 users can see: Low-price sessions 8.0 % (delta method)"


def test_stations_stand_in_the_order_of_their_rates():
    figure = station_success_figure(stations_frame(3))
    (axes,) = figure.axes
    assert figure.get_suptitle() == "1 of 3 stations is reliably worse than the others"
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"Station {place} of this site (100)" for place in range(3)
    ]
    network, *lines = axes.lines
    assert list(network.get_xdata()) == [0.7, 0.7]
    intervals = [list(line.get_xdata()) for line in lines[::2]]
    assert intervals == [pytest.approx([rate - 0.1, rate + 0.08]) for rate in (0.5, 0.7, 0.9)]
    assert [line.get_label() for line in lines[1::2]] == [
        "Reliably worse than the others",
        "Not distinguishable, or too few sessions",
        "Reliably better",
    ]


def test_of_many_stations_those_with_the_lowest_expected_rate_are_drawn():
    """A station with few sessions may have a low rate by chance."""
    stations = stations_frame(40)
    stations.loc[0, "shrunken_success_rate"] = 0.9
    figure = station_success_figure(stations)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [f"Station {place} of this site (100)" for place in range(1, 26)]
    assert "The 25 of 40 stations with the lowest rate." in " ".join(texts(figure))


def test_a_network_without_a_worse_station_says_so():
    stations = stations_frame().assign(verdict="not_distinguishable")
    title = station_success_figure(stations).get_suptitle()
    assert title == "No station is reliably worse than the others"


def test_failures_are_stacked_by_reason_with_the_most_on_top():
    figure = failure_reasons_figure(failures_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle() == "Most frequent failure: power never started (67 % of 9)"
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "Station 2",
        "Station 1",
        "Station 0",
    ]
    bars = {bars.get_label(): bars.patches for bars in axes.containers}
    assert set(bars) == {"Power never started", "Stopped by a fault"}
    assert [bar.get_width() for bar in bars["Power never started"]] == [3, 2, 1]
    assert [bar.get_x() for bar in bars["Stopped by a fault"]] == [3, 2, 1]
    assert "Of 300 sessions of known outcome" in " ".join(texts(figure))


def test_of_many_failures_the_title_counts_all():
    figure = failure_reasons_figure(failures_frame(60))
    assert figure.get_suptitle().endswith("(97 % of 1,890)")
    assert len(figure.axes[0].get_yticklabels()) == 20
    assert "The 20 of 60 stations with most failures." in " ".join(texts(figure))


def test_ports_below_the_required_uptime_are_named():
    figure = port_uptime_figure(uptime_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle() == "2 of 4 ports are not up for more than 97 % of the time"
    shown = texts(figure)
    assert {"CH-0 port 1: 94.0 %", "CH-1 port 1: 96.0 %"} <= set(shown)
    assert not any(text.startswith("CH-2") for text in shown)
    below = next(line for line in axes.lines if line.get_label() == "Port at or below 97 %")
    assert list(below.get_ydata()) == [94, 94, 96, 96]
    required = next(line for line in axes.lines if line.get_label().startswith("More than"))
    assert set(required.get_ydata()) == {97}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Oct\n2024", "Nov\n2024"]


def test_names_of_ports_with_the_same_uptime_keep_apart():
    uptime = uptime_frame(ports=6).assign(uptime_pct=96.5, is_compliant=False)
    figure = port_uptime_figure(uptime)
    figure.canvas.draw()
    names = [t for t in figure.findobj(_is_shown_text) if t.get_text().startswith("CH-")]
    assert len(names) == 6
    # Without the line that leads from the point to its name.
    boxes = [Text.get_window_extent(name) for name in names]
    for first, second in combinations(boxes, 2):
        assert not first.overlaps(second)


def test_ports_that_are_all_up_enough_have_no_names():
    uptime = uptime_frame().assign(uptime_pct=100.0, is_compliant=True)
    figure = port_uptime_figure(uptime)
    assert figure.get_suptitle() == "Every port is up for more than 97 % of the time"
    assert not any(text.startswith("CH-") for text in texts(figure))


def test_waits_are_shown_with_their_percentiles():
    figure = charge_start_time_figure(waits_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle() == "Half have power within 67 s, three quarters within 100 s"
    plug_in = next(line for line in axes.lines if line.get_label().startswith("Plug in first"))
    assert plug_in.get_label() == "Plug in first: 50 s (100)"
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in marks] == [[10, 25, 50, 75], [20, 50, 100, 150]]
    assert "2 that waited for more than 196 s" in " ".join(texts(figure))


def test_drives_are_stacked_by_period_in_weeks_that_begin_on_monday():
    figure = drive_lengths_figure(drives_frame())
    short, long = figure.axes
    # the first of June 2025 is a Sunday
    assert figure.get_suptitle().replace("\n", " ") == (
        "2.4 % of drives are long, most of them in the morning"
    )
    assert [bars.get_label() for bars in short.containers] == list(PERIODS)
    assert [bar.get_height() for bar in short.containers[0]] == [10, 70, 70, 70, 70, 10]
    assert [bar.get_y() for bar in short.containers[3]] == [30, 210, 210, 210, 210, 30]
    assert [bar.get_height() for bar in long.containers[1]] == [1, 7, 7, 7, 7, 1]
    labels = [label.get_text() for label in long.get_xticklabels()]
    assert labels == ["26 May", "2 Jun", "9 Jun", "16 Jun", "23 Jun", "30 Jun"]
    assert "The data cover the first and the last week in part." in texts(figure)


@pytest.mark.parametrize(
    ("first", "days", "told"), [("2025-06-03", 13, "the first"), ("2025-06-02", 13, "the last")]
)
def test_the_week_that_is_cut_is_named(first, days, told):
    figure = drive_lengths_figure(drives_frame(first, days))
    assert f"The data cover {told} week in part." in texts(figure)


def test_most_long_drives_are_more_than_half_of_them():
    days = drives_frame()
    days.loc[days["day_period"].isin(["night", "evening"]), "long_drives"] = 1
    days.loc[days["day_period"] == "evening", "long_drives"] = 2
    title = drive_lengths_figure(days).get_suptitle()
    assert title.replace("\n", " ").endswith("are long, the most in the evening")


def test_whole_weeks_of_short_drives_need_no_note():
    days = drives_frame("2025-06-02", 14).assign(long_drives=0)
    figure = drive_lengths_figure(days)
    assert figure.get_suptitle() == "None of 560 drives is a long one"
    assert not any("in part" in text for text in texts(figure))


def test_types_stand_in_the_order_of_their_median_and_the_hungriest_is_named():
    figure = consumption_by_type_figure(consumption_frame())
    spread, hungry = figure.axes
    assert figure.get_suptitle().replace("\n", " ") == (
        "Most energy-hungry drives: A type of vehicle no. 4, 8 % of its drives"
    )
    labels = [label.get_text() for label in spread.get_yticklabels()]
    assert labels == [f"A type of vehicle no. {place} (100)" for place in (4, 3, 2, 1, 0)]
    assert [bar.get_x() for bar in spread.patches] == [37.5, 32.5, 27.5, 22.5, 17.5]
    assert {bar.get_width() for bar in spread.patches} == {5}
    assert list(spread.lines[0].get_xdata()) == [40, 35, 30, 25, 20]
    assert [bar.get_width() for bar in hungry.patches] == [0.08, 0.06, 0.04, 0.02, 0]
    labels = [artist.get_label() for artist in (*spread.containers, *spread.collections)]
    assert labels == ["Middle half", "90th percentile"]
    # of the two months with as many drives the last
    assert "Single drives, June 2025" in texts(figure)


def test_of_many_types_those_with_most_drives_are_drawn():
    consumption = consumption_frame(60)
    consumption["judged_drives"] += consumption.index % 60
    figure = consumption_by_type_figure(consumption)
    assert len(figure.axes[0].get_yticklabels()) == 16
    assert "The 16 of 60 types with most drives." in " ".join(texts(figure))


def test_a_timeline_is_a_broken_line_by_kind_and_names_nobody():
    figure = soc_timeline_figure(timeline_frame())
    (axes,) = figure.axes
    assert figure.get_suptitle() == "2 logged charges in a week, and 1 that nobody logged"
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines)[:4] == ["Drive", "Charge", "Standing", "Standby loss"]
    drives = lines["Drive"].get_xydata()
    assert drives[[0, 1, 3, 4]].tolist() == [[7, 80], [8, 70], [60, 88], [61, 60]]
    assert np.isnan(drives[[2, 5]]).all()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert "One made-up vehicle, one week" in texts(figure)
    assert any("isn't known" in text for text in texts(figure))


def test_the_days_from_the_first_dispatch_on_are_drawn():
    soc = soc_frame()
    figure = soc_by_archetype_figure(soc)
    panels = figure.axes
    assert len(panels) == 6
    assert figure.get_suptitle().replace("\n", " ") == (
        "At any time nine of ten cars of every archetype have 32 % or more; lowest: Archetype 0"
    )
    shown = texts(figure)
    assert "Run dispatch (one of 2), local time; in brackets the number of cars" in shown
    # The archetype with most cars comes first.
    assert [axes.texts[0].get_text() for axes in panels[:2]] == [
        "Archetype 5 (60)",
        "Archetype 4 (50)",
    ]
    whole, connected = panels[0].lines
    assert (whole.get_linestyle(), connected.get_linestyle()) == ("-", "--")
    # The clock is put back at night: the window lies 18 hours after midnight.
    hours, medians = whole.get_data()
    assert hours[-1] == 48.5
    assert list(hours[medians == 52]) == [18.0, 18.5]
    assert [shade.get_x() for shade in panels[0].patches] == [18.0, 18.5]
    labels = [label.get_text() for label in panels[-1].get_xticklabels()]
    assert labels == ["00:00\nSun 27 Oct", "12:00", "00:00\nMon 28 Oct", "12:00"]
    assert [tick for tick in panels[-1].get_xticks()] == [0, 13, 25, 37]


def test_a_fleet_without_a_dispatch_is_drawn_in_its_last_whole_days():
    soc = soc_frame(runs=["smart"])
    soc = soc[soc["half_hour_local_at"] < "2024-10-29 08:00"]
    figure = soc_by_archetype_figure(soc)
    assert not any(axes.patches for axes in figure.axes)
    labels = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels == ["00:00\nSun 27 Oct", "12:00", "00:00\nMon 28 Oct", "12:00"]
    assert "Run smart, local time; in brackets the number of cars" in texts(figure)


def test_power_is_stacked_by_archetype_and_export_lies_below_zero():
    figure = power_by_archetype_figure(fleet_power_frame(archetypes=2))
    (axes,) = figure.axes
    assert figure.get_suptitle().replace("\n", " ") == (
        "The fleet draws up to 20.0 kW on Sun 20:00, and gives up to 8.0 kW on Sun 17:00"
    )
    *stacks, together = (patch for patch in axes.patches if isinstance(patch, StepPatch))
    tops = [stack.get_data().values for stack in stacks]
    assert [top.max() for top in tops] == [10, 20, 0, 0]
    assert [top.min() for top in tops] == [0, 0, -4, -8]
    values = together.get_data().values
    assert (values.max(), values.min()) == (20, -8)


def test_archetypes_with_least_energy_are_drawn_together():
    figure = power_by_archetype_figure(fleet_power_frame(archetypes=30))
    assert "Others" in texts(figure)
    assert "up to 300 kW on Sun 20:00" in figure.get_suptitle().replace("\n", " ")


def test_controllers_are_compared_with_their_reference():
    figure = controllers_figure(mean_day_frame(), comparison_frame())
    assert figure.get_suptitle().replace("\n", " ") == (
        "smart costs 10 % less than uncontrolled, with a peak 100 % higher"
    )
    day, cost, peak = figure.axes
    assert [patch.get_label() for patch in day.patches] == ["uncontrolled", "dispatch", "smart"]
    assert day.patches[1].get_data().values.min() == -5
    assert [bar.get_height() for bar in cost.containers[0]] == [2.0, 2.1, 1.8]
    assert [bar.get_height() for bar in peak.containers[0]] == [20, 30, 40]
    assert {"2.00", "2.10", "1.80", "20.0", "30.0", "40.0"} <= set(texts(figure))


def test_controllers_that_save_nothing_are_not_praised():
    dearer = comparison_frame().assign(value=3.0).query("metric == 'cost_eur'")
    title = controllers_figure(mean_day_frame(), dearer).get_suptitle()
    assert title == "dispatch costs 50 % more than uncontrolled"


def test_a_single_run_is_drawn_without_a_comparison():
    figure = controllers_figure(mean_day_frame(["smart"]), comparison_frame().iloc[:0])
    assert len(figure.axes) == 1
    assert figure.get_suptitle() == "Power of the fleet by controller"


def test_coincidence_is_drawn_beside_that_of_real_drivers():
    loaded = [("loaded", "b", True), ("loaded", "a", None), ("loaded", "c", False)]
    figure = coincidence_figure(factors_frame(loaded))
    assert figure.get_suptitle().replace("\n", " ") == (
        "100 simulated cars draw at most 21 % of their power at once, real ones 20 %"
    )
    (axes,) = figure.axes
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    # Of the loaded runs the first that has enough drivers.
    assert lines == {
        "Real drivers": [0.99, 0.4, 0.2],
        "Simulated in this build (3,000 drivers)": pytest.approx([1.0, 0.41, 0.21]),
        "Run b (3,000 drivers)": pytest.approx([1.0, 0.41, 0.21]),
    }


def test_a_long_name_is_cut():
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcd ef", 6) == "abcd\u2026"


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_a_percent_sign_follows_a_blank(name):
    """In titles and notes on the line of its number, and at the ticks of every axis in percent."""
    figure = FULL_FIGURES[name]()
    shown = texts(figure)
    assert not [text for text in shown if re.search(r"\d%|\n%", text)]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_visible() and "(%" in axis.get_label_text():
                ticks = [label.get_text() for label in axis.get_ticklabels()]
                assert ticks
                assert all(tick.endswith(" %") for tick in ticks)


def test_a_line_of_a_title_never_begins_with_a_percent_sign():
    title = new_figure(8, "x" * 56 + " 100 % of it").get_suptitle()
    assert title == "x" * 56 + "\n100 % of it"


@pytest.mark.parametrize("name", EMPTY_FIGURES)
def test_a_figure_without_data_says_so(name):
    figure = EMPTY_FIGURES[name]()
    assert figure.get_suptitle().endswith("no data")
    assert any(text.startswith("No data") for text in texts(figure))


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_the_same_data_gives_the_same_bytes(name):
    first, second = (png_bytes(FULL_FIGURES[name]()) for _ in range(2))
    assert first == second
    image = Image.open(io.BytesIO(first))
    assert image.format == "PNG"
    assert set(image.info) == {"dpi"}


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "plot.png"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("ev_charging.plots.style.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_marts_have_what_the_figures_read(connection):
    days = read_daily_load(connection, PROFILE)
    assert days["is_peak_day"].sum() == 1
    assert (days["date_key"].diff().dropna() == pd.Timedelta(days=1)).all()
    assert len(read_load_by_hour(connection, PROFILE)) == 7 * 24
    sessions = read_sessions(connection)
    assert sessions["is_open"].any()
    assert set(sessions["source_system"]) == {"residential"}
    assert read_charging_costs(connection, PROFILE)["immediate_cost_eur"].notna().any()


def test_the_experiment_marts_have_what_the_figures_read(connection):
    effects = read_effects(connection)
    assert {"delta", "cuped", "naive_welch"} <= set(effects["method"])
    assert effects["relative_ci_low"].notna().any()
    looks = read_looks(connection)
    assert looks.groupby("metric")["day_number"].is_monotonic_increasing.all()
    assert looks["anytime_ci_low"].notna().any()
    assigned = connection.execute(
        "select count(*) from experiment.experiment_users where metric = 'energy_per_session'"
    ).fetchone()[0]
    users = read_user_energy(connection)
    assert len(users) == assigned
    starts = read_starts(connection)
    assert starts["sessions"].sum() >= users["sessions"].sum() > 0
    for rows in (users, starts):
        assert rows["treatment_variant"].isna().any()
        assert rows["treatment_variant"].notna().any()
    assert read_power(connection)["is_observed"].any()


def test_the_network_marts_have_what_the_figures_read(connection):
    stations = read_station_success(connection)
    assert stations["success_rate"].is_monotonic_increasing
    assert stations["verdict"].notna().all()
    failures = read_failure_reasons(connection)
    assert 0 < failures["sessions"].sum() < stations["sessions_known"].sum()
    uptime = read_port_uptime(connection)
    assert not uptime.duplicated(["port_key", "month_start_date"]).any()
    assert set(uptime["is_compliant"]) == {True, False}
    waits = read_charge_start_times(connection)
    assert waits["attempt_mode"].nunique() == 4
    assert (waits["seconds"] >= 0).all()


def test_the_fleet_marts_have_what_the_figures_read(connection):
    for rows in (read_soc(connection), read_fleet_power(connection)):
        assert not rows.duplicated(["run_id", "archetype", "half_hour_starts_at"]).any()
        assert set(rows["is_dispatched"]) == {True, False}
    soc = read_soc(connection)
    assert soc["connected_soc_pct_p50"].isna().any()
    known = soc.dropna(subset=["soc_pct_p50"])
    assert (known["soc_pct_p10"] <= known["soc_pct_p90"]).all()
    power = read_fleet_power(connection)
    assert power.loc[power["is_dispatched"], "export_kw"].max() > 0
    mean_day = read_mean_day(connection)
    assert set(mean_day.groupby("run_id")["hour_of_day"].count()) == {48}
    comparison = read_comparison(connection)
    assert set(comparison["metric"]) == {"cost_eur", "fleet_peak_kw"}
    factors = read_coincidence(connection)
    reference = factors[factors["fleet"] == "reference_run"]
    assert list(reference["cars"]) == [1, 2, 5, 10, 20, 50, 100]
    assert reference["simulated_value"].is_monotonic_decreasing


def test_the_mobility_marts_have_what_the_figures_read(connection):
    drives = read_drive_lengths(connection)
    assert not drives.duplicated(["drive_date", "day_period"]).any()
    assert drives["long_drives"].sum() > 0
    consumption = read_consumption(connection)
    assert (consumption["judged_drives"] > 0).all()
    assert (consumption["kwh_per_100km_p25"] <= consumption["kwh_per_100km_p90"]).all()
    timeline = read_timeline(connection)
    assert {"drive", "charge", "inferred_session"} <= set(timeline["segment_kind"])
    assert "contradiction" not in set(timeline["segment_kind"])
    assert timeline["start_hour"].between(0, 168).all()
    assert timeline["start_hour"].is_monotonic_increasing
    # no name of a vehicle leaves the query
    assert list(timeline) == [
        "segment_kind",
        "start_hour",
        "end_hour",
        "soc_start_pct",
        "soc_end_pct",
    ]


def test_a_vehicle_whose_logs_are_not_made_up_is_never_drawn():
    segment = "('v1', 1, 'drive', '2025-06-02 08:00', '2025-06-02 09:00', 80, 70)"
    with duckdb.connect() as connection:
        connection.execute(EMPTY_MARTS)
        connection.execute(f"insert into intermediate.int_telematics__timeline values {segment}")
        assert read_timeline(connection).empty
        figure = soc_timeline_figure(read_timeline(connection))
        assert figure.get_suptitle() == "Timeline of a vehicle: not drawn"
        (shown,) = (text for text in texts(figure) if text.startswith("Not drawn\n"))
        assert "made-up logs" in shown
        connection.execute("insert into quality.telematics_damage_scores values ('unit_slip')")
        (found,) = read_timeline(connection).itertuples(index=False)
    assert found == ("drive", 8, 9, 80, 70)


def test_the_load_profiles_are_those_of_the_marts(connection):
    profiles = connection.execute("select load_profile from load.load_kpis").fetchall()
    assert {name for (name,) in profiles} == set(LOAD_PROFILES)
    assert DEFAULT_LOAD_PROFILE in LOAD_PROFILES


def run(*arguments):
    """Run the command; an error that it doesn't handle fails the test."""
    result = CliRunner().invoke(draw_plots, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_command_writes_every_plot_twice_alike(warehouse, tmp_path):
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        result = run("--warehouse", warehouse, "--output", folder)
        assert result.exit_code == 0, result.output
        assert [Path(line) for line in result.output.splitlines()] == [folder / n for n in NAMES]
        assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
        contents.append([(folder / name).read_bytes() for name in NAMES])
    assert contents[0] == contents[1]


def test_the_command_works_on_empty_marts(tmp_path):
    with duckdb.connect(str(tmp_path / "empty.duckdb")) as connection:
        connection.execute(EMPTY_MARTS)
    result = run("--warehouse", tmp_path / "empty.duckdb", "--output", tmp_path / "plots")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(NAMES)


def test_a_missing_mart_is_one_clear_line_and_changes_nothing(tmp_path):
    with duckdb.connect(str(tmp_path / "half.duckdb")) as connection:
        connection.execute(EMPTY_MARTS)
        connection.execute("drop table core.fct_charging_sessions")
    result = run("--warehouse", tmp_path / "half.duckdb", "--output", tmp_path / "plots")
    assert result.exit_code == 1
    assert "fct_charging_sessions" in result.output
    assert "run dbt build" in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "plots").exists()


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 9])
def test_a_warehouse_that_cannot_be_read_is_one_clear_line(tmp_path, content):
    path = tmp_path / "broken.duckdb"
    if content is not None:
        path.write_bytes(content)
    result = run("--warehouse", path, "--output", tmp_path / "plots")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "broken.duckdb" in result.output
    assert len(result.output.splitlines()) == 1


def test_an_output_that_is_a_file_is_refused(warehouse, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--warehouse", warehouse, "--output", tmp_path / "file" / "plots")
    assert result.exit_code == 1
    assert "can't write into" in result.output
