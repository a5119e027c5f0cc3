"""How cars charge in a simulated fleet, against differential equations solved by scipy."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ev_charging.simulation.physics import LOSSLESS, REAL, ChargeCurve
from ev_charging.simulation.simulator import Dispatch
from simulated_fleets import half_hour_power_kw, simulated, stays_with_users

CONTROLLED = (
    {},
    {"controller": "scheduled"},
    {"controller": "smart"},
    {"dispatch": Dispatch()},
    {"controller": "smart", "dispatch": Dispatch(mode="pause"), "jitter_minutes": 30},
    {"mode": "sketch", "dispatch": Dispatch()},
)


def accepted_kw(soc: float, battery_kwh: float, charger_kw: float) -> float:
    """Return the power a car takes: that of the charger, and less near a full battery."""
    # 7 kW into 60 kWh at 94 %, 6 A at 100 %
    return min(charger_kw, 1.4 + 5.6 / 0.06 * (battery_kwh / 60) * (1 - soc))


def solved(soc: float, battery_kwh: float, charger_kw: float, hours: float) -> tuple[float, float]:
    """Return state of charge and energy from the grid after some hours, by numerical solution."""

    def slope(_, state):
        power_kw = accepted_kw(state[0], battery_kwh, charger_kw)
        return [(0.95 * power_kw - 0.2) / battery_kwh, power_kw]

    result = solve_ivp(slope, (0, hours), [soc, 0.0], rtol=1e-10, atol=1e-12, max_step=0.05)
    return result.y[0, -1], result.y[1, -1]


def curve_of(soc, target, battery_kwh, charger_kw, physics=REAL) -> ChargeCurve:
    return ChargeCurve(
        physics, *(np.array([float(value)]) for value in (soc, target, battery_kwh, charger_kw))
    )


@settings(max_examples=30, deadline=None)
@given(
    soc=st.floats(0.0, 0.99),
    battery_kwh=st.floats(20, 120),
    charger_kw=st.sampled_from([1.4, 3.6, 7.0, 11.0, 22.0]),
    part=st.floats(0.01, 1.0),
)
def test_a_charge_follows_its_differential_equation(soc, battery_kwh, charger_kw, part):
    curve = curve_of(soc, 1.0, battery_kwh, charger_kw)
    seconds = part * curve.seconds
    reached, energy = curve.at(np.array([0]), seconds)
    expected = solved(soc, battery_kwh, charger_kw, seconds[0] / 3600)
    assert (reached[0], energy[0]) == pytest.approx(expected, rel=2e-6, abs=2e-6)


@pytest.mark.parametrize("target", [0.5, 0.8, 0.94, 0.97, 1.0])
def test_a_charge_ends_at_its_target(target):
    curve = curve_of(0.3, target, 60, 7)
    assert curve.at(np.array([0]), curve.seconds)[0] == pytest.approx(target, abs=1e-12)


def test_a_car_at_its_target_takes_nothing():
    assert curve_of(0.8, 0.8, 60, 7).seconds == 0
    assert curve_of(0.97, 0.8, 60, 7).seconds == 0
    assert curve_of(0.9, 0.8, 60, 7, LOSSLESS).seconds == 0


def test_power_at_7_kw_is_cut_only_above_94_pct_and_never_below_6_amperes():
    curve = curve_of(0.9, 1.0, 60, 7)
    seconds = np.linspace(0, curve.seconds[0], 2_000)
    soc, energy = curve.at(np.zeros(len(seconds), dtype=int), seconds)
    power_kw = np.diff(energy) / np.diff(seconds) * 3600
    middle = (soc[1:] + soc[:-1]) / 2
    assert power_kw[middle < 0.9399] == pytest.approx(7, abs=1e-6)
    assert (power_kw[middle > 0.9401] < 7).all()
    assert power_kw.min() >= 1.4 - 1e-6
    assert power_kw[-1] == pytest.approx(1.4, abs=0.01)


def test_efficiency_falls_with_the_current():
    # (0.95 * 7 - 0.2) / 7 and (0.95 * 1.4 - 0.2) / 1.4
    assert REAL.efficiency(np.array([7.0, 1.4])) == pytest.approx([0.92143, 0.80714], abs=1e-5)


@pytest.mark.parametrize("options", CONTROLLED)
def test_energy_is_conserved_for_every_vehicle(options):
    fleet, _ = simulated(**options)
    assert fleet.residual_kwh() < 1e-9


@pytest.mark.parametrize("options", CONTROLLED)
def test_energy_balances_between_two_readings_of_the_meter(options):
    """The balance of what the feeds show, taken anew from their rounded figures."""
    fleet, tables = simulated(**options)
    users = pd.DataFrame(fleet.users()).set_index("user")
    loses = options.get("mode") != "sketch"
    gain, standing_kw, discharging = (0.95, 0.2, 0.93) if loses else (1, 0, 1)
    rows = tables["telemetry"].sort_values(["user", "starts_at"])
    by_user = rows.groupby("user")
    truth = tables["session_truth"]
    start_soc = truth.sort_values("plugged_in_at").groupby("user")["soc_start_pct"].first()
    stored = (by_user["soc_pct"].last() - start_soc) / 100 * users["battery_kwh"]
    first_in = truth.groupby("user")["plugged_in_at"].min()
    last_seen = by_user["ends_at"].max()
    trips = tables["trips"]
    between = trips["arrived_at"].gt(trips["user"].map(first_in)) & trips["departed_at"].lt(
        trips["user"].map(last_seen)
    )
    moved = trips[between].groupby("user")[["public_kwh", "driving_kwh"]].sum()
    imported = by_user["import_wh"].sum() / 1000
    exported = by_user["export_wh"].sum() / 1000
    # charging that the end of the run cuts has no stop to count its seconds to
    closed = set(truth["user"]) - set(truth.query("plugged_out_at < 0")["user"])
    charged_h = truth.groupby("user")["charging_seconds"].sum() / 3600
    rest = (
        gain * imported
        - standing_kw * charged_h
        - exported / discharging
        + moved["public_kwh"].sub(moved["driving_kwh"]).reindex(imported.index, fill_value=0)
        - stored
    )
    # a register shows whole Wh, an event whole seconds
    assert rest[rest.index.isin(closed)].abs().max() < 0.01
    assert len(closed) > 20


def test_uncontrolled_sessions_are_those_of_a_calculation_by_hand():
    stays = stays_with_users()
    assert len(stays) > 1000
    hours = (stays["plugged_out_at"] - stays["plugged_in_at"]) / 3600
    soc, target = stays["soc_start_pct"] / 100, stays["target_soc_pct"] / 100
    bend = 1 - 5.6 / (5.6 / 0.06 * stays["battery_kwh"] / 60)
    battery_kw = 0.95 * stays["charger_kw"] - 0.2
    # up to the bend: straight lines
    straight = target <= bend
    needed_h = ((target - soc).clip(lower=0) * stays["battery_kwh"] / battery_kw)[straight]
    charged_h = np.minimum(needed_h, hours[straight])
    import_kwh = charged_h * stays["charger_kw"][straight]
    assert (import_kwh - stays["import_wh"][straight] / 1000).abs().max() < 0.0011
    end = soc[straight] + charged_h * battery_kw[straight] / stays["battery_kwh"][straight]
    assert (100 * end - stays["soc_end_pct"][straight]).abs().max() < 1e-6
    assert (charged_h * 3600 - stays["charging_seconds"][straight]).abs().max() <= 0.5001
    # beyond it: the differential equation, for some
    bent = stays[~straight].iloc[::25]
    assert len(bent) > 15
    for stay in bent.itertuples():
        curve_h = stay.charging_seconds / 3600
        reached, energy = solved(
            stay.soc_start_pct / 100, stay.battery_kwh, stay.charger_kw, curve_h
        )
        # a second more or less at 7 kW is 2 Wh
        assert energy == pytest.approx(stay.import_wh / 1000, abs=0.004)
        assert 100 * reached == pytest.approx(stay.soc_end_pct, abs=0.01)


@pytest.mark.parametrize("options", [{}, {"controller": "smart"}, {"dispatch": Dispatch()}])
def test_results_do_not_depend_on_the_step(options):
    energies, peaks = [], []
    for step in (1, 5, 15, 30):
        _, tables = simulated(step_minutes=step, users=150, **options)
        energies.append(tables["telemetry"]["import_wh"].sum())
        peaks.append(half_hour_power_kw(tables["telemetry"]).max())
        assert (
            tables["telemetry"]["ends_at"] - tables["telemetry"]["starts_at"]
        ).max() == step * 60
    assert max(energies) / min(energies) < 1.001
    assert max(peaks) / min(peaks) < 1.015


def test_a_dispatch_drains_to_the_reserve_only():
    fleet, tables = simulated(dispatch=Dispatch())
    users = pd.DataFrame(fleet.users()).set_index("user")
    rows = tables["telemetry"].query("export_wh > 0")
    assert len(rows) > 30
    assert (rows["soc_pct"] - rows["user"].map(users["reserve_soc_pct"])).min() > -1e-6
    windows = tables["dispatches"][["window_starts_at", "window_ends_at"]].drop_duplicates()
    assert (
        rows["starts_at"]
        .isin(np.concatenate([windows["window_starts_at"], windows["window_starts_at"] + 1800]))
        .all()
    )


def test_instruction_acknowledgement_and_metered_energy_are_rows_of_their_own():
    _, tables = simulated(dispatch=replace(Dispatch(), acknowledged_share=0.7))
    rows = tables["dispatches"].set_index(["user", "dispatch", "event"])
    instructed, acknowledged, metered = (rows.xs(event, level="event") for event in range(3))
    assert 0.55 < len(acknowledged) / len(instructed) < 0.85
    assert set(metered.index) <= set(acknowledged.index) <= set(instructed.index)
    asked = instructed.loc[acknowledged.index]
    assert (acknowledged["occurred_at"] > asked["occurred_at"]).all()
    assert (asked["occurred_at"] == asked["window_starts_at"] - 15 * 60).all()
    # a car that charges between instruction and window has more to give than was asked for
    more_wh = metered["energy_wh"] - instructed.loc[metered.index, "energy_wh"]
    assert more_wh.max() < 1750
    assert 0 <= instructed["energy_wh"].min() < instructed["energy_wh"].max() == 7000
    exported = tables["telemetry"]["export_wh"].sum()
    assert metered["energy_wh"].sum() == exported > 0
    # a car that doesn't answer charges as if nobody had asked
    silent = set(instructed.index) - set(acknowledged.index)
    assert silent


def test_a_drained_car_is_charged_again_before_it_leaves():
    _, free = simulated()
    _, called = simulated(dispatch=Dispatch())
    stay = ["user", "plugged_in_at"]
    together = free["session_truth"].merge(
        called["session_truth"], on=[*stay, "soc_start_pct"], suffixes=("", "_called")
    )
    drained = together.query("export_wh_called > 0 and plugged_out_at > 0")
    metered = called["dispatches"].query("event == 2")[["user", "occurred_at"]]
    ends = drained[[*stay, "plugged_out_at"]].merge(metered, on="user")
    ends = ends.query("plugged_in_at < occurred_at < plugged_out_at")
    drained = drained.merge(ends.groupby(stay)["occurred_at"].max().reset_index(), on=stay)
    # an hour at 7 kW is given back in little more than one
    in_time = drained.query("plugged_out_at - occurred_at > 3 * 3600")
    assert len(in_time) > 20
    assert (in_time["soc_end_pct_called"] >= in_time["soc_end_pct"] - 1e-6).mean() > 0.95
    assert (drained["import_wh_called"] > drained["import_wh"]).mean() > 0.5
