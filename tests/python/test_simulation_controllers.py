"""Controllers: what they see, what they save, and what goes wrong if all do the same."""

from dataclasses import fields
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ev_charging.simulation.controllers import PriceSlots, Request, price_slots, smart
from ev_charging.simulation.physics import REAL, ChargeCurve
from ev_charging.simulation.simulator import Fleet, FleetConfig
from simulated_fleets import (
    archetypes,
    cost_eur,
    half_hour_power_kw,
    local,
    prices,
    simulated,
    stays_with_users,
)

HOUR_S = 3600


def request_of(plugged_in_s, leaves_s, charging_s) -> Request:
    return Request(
        np.array([0]),
        np.array([float(plugged_in_s)]),
        np.array([float(leaves_s)]),
        np.array([float(charging_s)]),
        np.array([7.0]),
    )


def test_a_controller_never_sees_the_true_departure():
    seen = {field.name for field in fields(Request)}
    assert seen == {"user", "plugged_in_s", "expected_departure_s", "charging_s", "power_kw"}


@settings(max_examples=200, deadline=None)
@given(
    price=st.lists(st.integers(-50, 300), min_size=30, max_size=30),
    plugged_in=st.integers(0, 12 * HOUR_S),
    stays=st.integers(60, 14 * HOUR_S),
    charging=st.integers(0, 16 * HOUR_S),
)
def test_no_other_plan_is_cheaper(price, plugged_in, stays, charging):
    slots = PriceSlots(np.arange(31.0) * HOUR_S, np.array(price, dtype=float))
    plan = smart(slots)(request_of(plugged_in, plugged_in + stays, charging))
    used = plan.used(np.array([plugged_in + stays]), np.array([float(charging)]))
    seconds = np.zeros(31 * HOUR_S, dtype=bool)
    for start, end in zip(used.starts[0], used.ends[0], strict=True):
        if np.isfinite(start):
            span = slice(round(start), round(end))
            assert not seconds[span].any()
            seconds[span] = True
    free = np.zeros_like(seconds)
    free[plugged_in : plugged_in + stays] = True
    assert not (seconds & ~free).any()
    assert seconds.sum() == min(charging, stays)
    per_second = np.repeat(price, HOUR_S)
    cheapest = np.sort(per_second[free[: 30 * HOUR_S]])[: seconds.sum()].sum()
    assert per_second[seconds[: 30 * HOUR_S]].sum() == cheapest


def test_smart_charging_leaves_no_car_below_a_target_that_was_in_reach_unless_it_left_early():
    stays = stays_with_users(controller="smart")
    curve = ChargeCurve(
        REAL,
        *(
            stays[name].to_numpy() / scale
            for name, scale in (
                ("soc_start_pct", 100),
                ("target_soc_pct", 100),
                ("battery_kwh", 1),
                ("charger_kw", 1),
            )
        ),
    )
    in_reach = curve.seconds <= (stays["plugged_out_at"] - stays["plugged_in_at"])
    is_below = stays["soc_end_pct"] < stays["target_soc_pct"] - 0.001
    left_early = stays["plugged_out_at"] < stays["expected_departure_at"]
    assert in_reach.sum() > 1000
    assert (in_reach & is_below & left_early).any()
    assert not (in_reach & is_below & ~left_early).any()


def test_smart_charging_saves_cost_in_total_and_moves_the_same_energy():
    _, free = simulated()
    _, controlled = simulated(controller="smart")
    energy = [tables["telemetry"]["import_wh"].sum() for tables in (free, controlled)]
    assert cost_eur(controlled["telemetry"]) < 0.85 * cost_eur(free["telemetry"])
    assert energy[1] == pytest.approx(energy[0], rel=0.08)


def test_a_schedule_starts_at_its_time_on_the_clock_or_as_late_as_it_may():
    stays = stays_with_users(controller="scheduled", scheduled_start="01:15")
    started = stays.query("charging_started_at > 0")
    wall = local(started["charging_started_at"])
    on_time = (wall.dt.hour * 60 + wall.dt.minute) == 75
    assert on_time.mean() > 0.6
    others = started[~on_time]
    # earlier only where the time would be too short otherwise
    needed = others["expected_departure_at"] - others["charging_started_at"]
    assert (needed > 0).all()


def test_all_cars_that_follow_the_same_prices_make_a_new_peak():
    _, free = simulated()
    _, controlled = simulated(controller="smart")
    assert (
        half_hour_power_kw(controlled["telemetry"]).max()
        > 1.5 * half_hour_power_kw(free["telemetry"]).max()
    )


def test_a_cap_of_the_fleet_removes_the_peak():
    users = 300
    _, free = simulated(users=users)
    _, capped = simulated(users=users, controller="smart", cap_kw_per_car=0.6)
    _, controlled = simulated(users=users, controller="smart")
    peaks = [half_hour_power_kw(tables["telemetry"]).max() for tables in (free, controlled, capped)]
    assert peaks[2] < 0.6 * peaks[1]
    assert peaks[2] < 1.1 * peaks[0]
    costs = [cost_eur(tables["telemetry"]) for tables in (free, controlled, capped)]
    assert costs[1] < costs[2] < costs[0]


def test_a_random_delay_takes_the_edge_off_the_start_of_a_cheap_hour():
    def steepest_rise_wh(**options) -> float:
        _, tables = simulated(step_minutes=5, controller="smart", **options)
        power_kw = tables["telemetry"].groupby("starts_at")["import_wh"].sum()
        grid = range(power_kw.index.min() // 300 * 300, power_kw.index.max(), 300)
        return float(
            power_kw.groupby(power_kw.index // 300 * 300)
            .sum()
            .reindex(grid, fill_value=0)
            .diff()
            .max()
        )

    assert steepest_rise_wh(jitter_minutes=60) < 0.5 * steepest_rise_wh()


def test_a_delay_costs_no_car_its_target():
    plain, delayed = (
        stays_with_users(controller="smart", jitter_minutes=minutes) for minutes in (0, 90)
    )
    in_time = [stays.query("plugged_out_at >= expected_departure_at") for stays in (plain, delayed)]
    below = [(stays["soc_end_pct"] < stays["target_soc_pct"] - 0.001).mean() for stays in in_time]
    assert below[1] == pytest.approx(below[0], abs=0.01)


@pytest.mark.parametrize("hours", [[0, 2], [0, 0, 1]])
def test_prices_with_a_gap_or_an_overlap_are_refused(hours):
    starts = pd.to_datetime(np.array(hours) * HOUR_S, unit="s")
    broken = pd.DataFrame({"starts_at": starts, "minutes": 60, "eur_per_mwh": 1.0})
    with pytest.raises(ValueError, match="gap or an overlap"):
        price_slots(broken)


def test_prices_must_reach_over_the_run():
    some = prices()[prices()["starts_at"] < "2024-10-20"]
    config = FleetConfig(users=20, days=14, start=date(2024, 10, 14), controller="smart")
    with pytest.raises(ValueError, match="prices don't reach"):
        list(Fleet(config, archetypes(), some).days())
