"""Runs of a fleet are compared per driver, as the textbooks and other libraries do it."""

import math

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.effect import NO_DENOMINATOR, NO_VARIANCE, OK, TOO_FEW_USERS
from ev_charging.fleet.controller_comparison import (
    COMPARISON,
    FLEET_PEAK,
    METRICS,
    ONE_FIGURE,
    controller_comparison,
)
from ev_charging.fleet.paired import paired_difference
from ev_charging.frames import COUNT, NUMBER, TEXT

WEEK = 7 * 48
TOTALS = {
    "half_hours": WEEK,
    "unknown_half_hours": 0,
    "is_paired": True,
    "energy_kwh": 0.0,
    "exported_kwh": 0.0,
    "cost_eur": 0.0,
    "g_co2": 0.0,
    "peak_kw": 0.0,
    "ended_stays": 0,
    "stays_below_target": 0,
    "soc_end_pct_sum": 0.0,
}


def comparisons_frame(*runs, alpha=0.05):
    return pd.DataFrame(
        {"run_id": runs, "reference_run_id": "plain", "alpha": alpha},
        index=range(len(runs)),
    )


def side(user_id, is_reference, run_id="smart", **totals):
    return {"run_id": run_id, "user_id": user_id, "is_reference": is_reference} | TOTALS | totals


def pairs(run, reference, column, **totals):
    """Return drivers u0, u1, ... with these values of a column in the run and in the reference."""
    return pd.DataFrame(
        [
            side(f"u{place}", is_reference, **totals, **{column: value})
            for is_reference, values in ((False, run), (True, reference))
            for place, value in enumerate(values)
        ]
    )


def peaks_frame(run=2.0, reference=4.0):
    return pd.DataFrame(
        {"run_id": "smart", "is_reference": [False, True], "peak_kw": [run, reference]}
    )


def compare(users, metric, peaks=None, alpha=0.05):
    """Return the row of a metric."""
    peaks = peaks_frame() if peaks is None else peaks
    found = controller_comparison(comparisons_frame("smart", alpha=alpha), users, peaks)
    return found.set_index("metric").loc[metric]


# --- the difference of a pair ---------------------------------------------------------------------


def test_a_mean_per_driver_is_compared_by_the_paired_t_test():
    # differences -1, -2, -3, -6: mean -3, standard deviation sqrt(14 / 3)
    row = compare(pairs([9, 18, 27, 34], [10, 20, 30, 40], "energy_kwh"), "energy_kwh")
    assert (row["value"], row["reference_value"], row["difference"]) == (22, 25, -3)
    assert row["relative_difference"] == pytest.approx(-0.12)
    half_width = 3.182446 * math.sqrt(14 / 3) / 2
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([-3 - half_width, -3 + half_width])


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_a_mean_per_driver_is_compared_as_scipy_does(alpha):
    rng = np.random.default_rng(1)
    reference = rng.gamma(2, 20, 60)
    run = 0.9 * reference + rng.normal(0, 5, 60)
    row = compare(pairs(run, reference, "energy_kwh"), "energy_kwh", alpha=alpha)
    expected = stats.ttest_rel(run, reference)
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(
        list(expected.confidence_interval(1 - alpha)), rel=1e-9
    )
    # what a driver does in both runs is no uncertainty
    unpaired = stats.ttest_ind(run, reference, equal_var=False).confidence_interval(1 - alpha)
    assert row["ci_high"] - row["ci_low"] < 0.5 * (unpaired.high - unpaired.low)


def test_a_figure_per_stay_is_compared_as_a_regression_with_clustered_errors_does():
    rng = np.random.default_rng(2)
    drivers = 80
    stays = pd.DataFrame(
        [
            (driver, is_run, rng.random() < (0.1 + 0.1 * is_run + 0.4 * habit))
            for driver, habit in enumerate(rng.random(drivers))
            for is_run in (0, 1)
            for _ in range(rng.integers(0, 12))
        ],
        columns=["driver", "is_run", "is_below"],
    )
    counted = stays.groupby(["driver", "is_run"])["is_below"].agg(["sum", "count"])
    users = pd.DataFrame(
        [
            side(
                f"u{driver}",
                is_run == 0,
                stays_below_target=counted["sum"].get((driver, is_run), 0),
                ended_stays=counted["count"].get((driver, is_run), 0),
            )
            for driver in range(drivers)
            for is_run in (0, 1)
        ]
    )
    row = compare(users, "below_target_share")
    fitted = sm.OLS(stays["is_below"].astype(float), sm.add_constant(stays["is_run"])).fit(
        cov_type="cluster", cov_kwds={"groups": stays["driver"], "use_correction": False}
    )
    assert row["difference"] == pytest.approx(fitted.params["is_run"], rel=1e-9)
    standard_error = fitted.bse["is_run"] * math.sqrt(drivers / (drivers - 1))
    half_width = stats.t.ppf(0.975, drivers - 1) * standard_error
    assert row["ci_high"] - row["difference"] == pytest.approx(half_width, rel=1e-9)
    expected = 2 * stats.t.sf(abs(row["difference"]) / standard_error, drivers - 1)
    assert row["p_value"] == pytest.approx(expected, rel=1e-9)


def test_an_interval_of_a_share_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    drivers, repeats, hits = 40, 400, 0
    for _ in range(repeats):
        habit = rng.beta(1, 4, drivers)
        arms = []
        for shift in (0.0, 0.1):
            stays = rng.integers(1, 15, drivers)
            arms.append(Arm(rng.binomial(stays, np.clip(habit + shift, 0, 1)), stays))
        found = paired_difference(*arms)
        hits += found.ci_low <= 0.1 <= found.ci_high
    # clipping hardly matters; 3.5 standard errors of the count
    assert hits / repeats == pytest.approx(0.95, abs=3.5 * math.sqrt(0.95 * 0.05 / repeats))


@given(
    st.lists(st.tuples(*[st.floats(-100, 100)] * 2, *[st.integers(1, 9)] * 2), min_size=2),
)
def test_runs_that_change_places_change_the_sign(values):
    first_sum, second_sum, first_count, second_count = map(np.array, zip(*values, strict=True))
    first, second = Arm(first_sum, first_count), Arm(second_sum, second_count)
    there, back = paired_difference(first, second), paired_difference(second, first)
    assert there.difference == -back.difference
    assert (there.status, there.ci_low) == pytest.approx((back.status, -back.ci_high), nan_ok=True)


def test_a_difference_that_all_drivers_share_has_no_interval():
    for values in ([10, 20, 30], [10.1, 20.1, 30.1]):
        row = compare(pairs(values, [10, 20, 30], "peak_kw"), "own_peak_kw")
        assert row["status"] == NO_VARIANCE
        assert row["difference"] == pytest.approx(values[0] - 10)
        assert row[["ci_low", "ci_high", "p_value"]].isna().all()


@pytest.mark.parametrize(
    ("run", "reference", "status"),
    [
        (([1.0], [1.0]), ([2.0], [1.0]), TOO_FEW_USERS),
        (([], []), ([], []), TOO_FEW_USERS),
        # only one driver has a stay at all
        (([1.0, 0.0], [3.0, 0.0]), ([2.0, 0.0], [3.0, 0.0]), TOO_FEW_USERS),
        (([1.0, 0.0], [3.0, 2.0]), ([0.0, 0.0], [0.0, 0.0]), NO_DENOMINATOR),
    ],
)
def test_what_can_not_be_compared_says_why(run, reference, status):
    found = paired_difference(Arm(*map(np.array, reference)), Arm(*map(np.array, run)))
    assert found.status == status
    assert math.isnan(found.ci_low)
    assert math.isnan(found.p_value)


def test_paired_runs_need_the_same_drivers():
    with pytest.raises(ValueError, match="same users"):
        paired_difference(Arm(np.ones(2), np.ones(2)), Arm(np.ones(3), np.ones(3)))
    with pytest.raises(ValueError, match="alpha"):
        paired_difference(Arm(np.ones(2), np.ones(2)), Arm(np.ones(2), np.ones(2)), alpha=1)


# --- the table ------------------------------------------------------------------------------------


def test_drivers_are_paired_by_name_whatever_their_order():
    users = pairs([9, 18, 27], [10, 20, 30], "energy_kwh")
    expected = compare(users, "energy_kwh")
    shuffled = users.sample(frac=1, random_state=4)
    pd.testing.assert_series_equal(compare(shuffled, "energy_kwh"), expected)


def test_totals_of_the_time_compared_become_those_of_a_week():
    users = pairs([30, 60], [60, 120], "cost_eur", half_hours=3 * WEEK, ended_stays=6)
    row = compare(users, "cost_eur")
    assert (row["value"], row["reference_value"]) == (15, 30)
    stays = compare(users.assign(soc_end_pct_sum=480.0), "soc_at_plug_out")
    assert stays["value"] == 80


def test_totals_are_those_of_the_half_hours_whose_energy_is_known():
    users = pd.DataFrame(
        [
            # half of the week is known, and all of it
            side("a", False, energy_kwh=20.0, unknown_half_hours=WEEK / 2),
            side("a", True, energy_kwh=40.0),
            # two weeks but a day, and one week
            side("b", False, energy_kwh=26.0, half_hours=2 * WEEK, unknown_half_hours=48),
            side("b", True, energy_kwh=12.0),
        ]
    )
    row = compare(users, "energy_kwh")
    assert (row["value"], row["reference_value"]) == ((40 + 14) / 2, (40 + 12) / 2)


def test_a_run_with_lost_telemetry_is_like_its_twin_without():
    twins = pairs([9.0, 18.0, 27.0], [9.0, 18.0, 27.0], "cost_eur")
    lost = ~twins["is_reference"]
    twins.loc[lost, "cost_eur"] *= 0.75
    twins.loc[lost, "unknown_half_hours"] = WEEK // 4
    row = compare(twins, "cost_eur")
    assert (row["value"], row["reference_value"], row["difference"]) == (18, 18, 0)


def test_a_driver_without_a_known_half_hour_has_no_figure_of_a_week():
    known = pairs([9, 18], [10, 20], "energy_kwh")
    nothing = {"half_hours": WEEK, "unknown_half_hours": WEEK}
    for energy_kwh in (math.nan, 0.0):
        unknown = [
            side("unknown", False, energy_kwh=energy_kwh, **nothing),
            side("unknown", True, energy_kwh=900.0),
        ]
        row = compare(pd.concat([known, pd.DataFrame(unknown)]), "energy_kwh")
        assert (row["users"], row["users_left_out"]) == (2, 1)
        assert (row["value"], row["reference_value"]) == (13.5, 15)


def test_drivers_of_one_run_or_without_a_known_figure_are_left_out_and_counted():
    users = pd.DataFrame(
        [
            *pairs([1, 2, 3], [2, 4, 6], "cost_eur").to_dict("records"),
            side("new", False, is_paired=False, cost_eur=900.0, energy_kwh=900.0),
            side("gone", True, is_paired=False, cost_eur=900.0, energy_kwh=900.0),
            side("unpriced", False, cost_eur=900.0, energy_kwh=4.0),
            side("unpriced", True, cost_eur=math.nan, energy_kwh=8.0),
        ]
    )
    cost, energy = compare(users, "cost_eur"), compare(users, "energy_kwh")
    assert (cost["users"], cost["users_left_out"]) == (3, 3)
    assert (cost["value"], cost["reference_value"]) == (2, 4)
    assert (energy["users"], energy["users_left_out"]) == (4, 2)
    assert (energy["value"], energy["reference_value"]) == (1, 2)
    peak = compare(users, FLEET_PEAK)
    assert (peak["users"], peak["users_left_out"]) == (4, 2)


def test_another_driver_of_the_same_name_is_left_out_of_all_figures_and_counted():
    same = pairs([1, 2, 3], [2, 4, 6], "energy_kwh", ended_stays=2)
    namesake = pd.DataFrame(
        [
            side("namesake", is_reference, is_paired=False, energy_kwh=900.0, ended_stays=9)
            for is_reference in (False, True)
        ]
    )
    alone = controller_comparison(comparisons_frame("smart"), same, peaks_frame())
    both = controller_comparison(
        comparisons_frame("smart"), pd.concat([same, namesake]), peaks_frame()
    )
    assert (alone["users_left_out"] == 0).all()
    assert (both["users_left_out"] == 1).all()
    pd.testing.assert_frame_equal(
        both.drop(columns="users_left_out"), alone.drop(columns="users_left_out")
    )


def test_drivers_without_a_stay_count_for_what_is_per_driver_only():
    users = pd.DataFrame(
        [
            side("a", False, ended_stays=4, stays_below_target=1, energy_kwh=10.0),
            side("a", True, ended_stays=4, stays_below_target=2, energy_kwh=20.0),
            side("b", False, ended_stays=1, stays_below_target=1, energy_kwh=4.0),
            side("b", True, ended_stays=1, stays_below_target=0, energy_kwh=4.0),
            side("never plugs in", False),
            side("never plugs in", True),
        ]
    )
    share = compare(users, "below_target_share")
    assert (share["users"], share["value"], share["reference_value"]) == (3, 0.4, 0.4)
    energy = compare(users, "energy_kwh")
    assert (energy["value"], energy["reference_value"]) == pytest.approx((14 / 3, 8))


def test_the_peak_of_the_fleet_is_one_number_per_run():
    row = compare(pairs([1, 2], [2, 3], "energy_kwh"), FLEET_PEAK, peaks_frame(30.0, 40.0))
    assert (row["status"], row["value"], row["reference_value"]) == (ONE_FIGURE, 30, 40)
    assert (row["difference"], row["relative_difference"]) == (-10, -0.25)
    assert row[["ci_low", "ci_high", "p_value"]].isna().all()


def test_every_run_has_every_metric_once_in_order():
    users = pairs([9, 18, 27], [10, 20, 30], "energy_kwh")
    both = pd.concat([users, users.assign(run_id="later")])
    found = controller_comparison(comparisons_frame("smart", "later"), both, peaks_frame())
    metrics = sorted([metric.name for metric in METRICS] + [FLEET_PEAK])
    assert list(found["run_id"]) == ["later"] * 8 + ["smart"] * 8
    assert list(found["metric"]) == metrics * 2
    assert found.loc[found["run_id"] == "later", "value"].isna().sum() == 3


def test_nothing_to_compare_gives_an_empty_table_of_the_same_types():
    users = pairs([9, 18], [10, 20], "energy_kwh")
    full = controller_comparison(comparisons_frame("smart"), users, peaks_frame())
    none = controller_comparison(
        comparisons_frame("smart").iloc[:0], users.iloc[:0], peaks_frame().iloc[:0]
    )
    assert len(none) == 0
    assert list(none.columns) == list(COMPARISON)
    assert none.dtypes.to_dict() == full.dtypes.to_dict()
    assert set(COMPARISON.values()) == {TEXT, COUNT, NUMBER}


def test_a_run_without_drivers_in_common_has_rows_without_figures():
    users = pd.DataFrame([side("a", False, is_paired=False), side("b", True, is_paired=False)])
    found = controller_comparison(comparisons_frame("smart"), users, peaks_frame().iloc[:0])
    assert len(found) == 8
    assert (found["users"] == 0).all()
    assert (found["users_left_out"] == 2).all()
    assert found[["value", "difference", "ci_low"]].isna().all(axis=None)


# --- the warehouse --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def comparison(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The table as built from the seeds."""
    return connection.execute(
        "select * from fleet.controller_comparison order by run_id, metric"
    ).df()


def test_the_seeds_compare_each_run_with_the_uncontrolled_one(connection, comparison):
    runs = connection.execute("select distinct run_id from staging.stg_simulator__users").df()
    assert set(comparison["run_id"]) == set(runs["run_id"]) - {"uncontrolled"}
    assert set(comparison["reference_run_id"]) == {"uncontrolled"}


def test_the_drivers_of_the_seeds_are_the_same_in_all_runs(connection, comparison):
    count = "select count(distinct user_id) from staging.stg_simulator__users"
    [(users,)] = connection.execute(count).fetchall()
    assert set(comparison["users"]) == {users}
    assert set(comparison["users_left_out"]) == {0}


def test_figures_of_the_seeds_are_those_of_their_half_hours(connection, comparison):
    half_hours = connection.execute(
        """
        select
            run_id, user_id, half_hour_starts_at,
            import_kwh::double as import_kwh, export_kwh::double as export_kwh,
            price_eur_per_mwh::double as price_eur_per_mwh, gco2_per_kwh::double as gco2_per_kwh
        from intermediate.int_simulator__car_half_hours
        """
    ).df()
    net_kwh = half_hours["import_kwh"] - half_hours["export_kwh"]
    half_hours = half_hours.assign(
        energy_kwh=half_hours["import_kwh"],
        exported_kwh=half_hours["export_kwh"],
        cost_eur=net_kwh * half_hours["price_eur_per_mwh"] / 1000,
        g_co2=net_kwh * half_hours["gco2_per_kwh"],
        net_kwh=net_kwh,
    )
    for run_id in set(comparison["run_id"]):
        by_run = {
            name: half_hours[half_hours["run_id"] == name] for name in (run_id, "uncontrolled")
        }
        common = set.intersection(*(set(run["half_hour_starts_at"]) for run in by_run.values()))
        rows = comparison[comparison["run_id"] == run_id].set_index("metric")
        sides = [
            run[run["half_hour_starts_at"].isin(common)].groupby("user_id")
            for run in by_run.values()
        ]
        for metric in ("energy_kwh", "exported_kwh", "cost_eur", "g_co2"):
            run, reference = (WEEK * side[metric].mean() for side in sides)
            row = rows.loc[metric]
            assert row["value"] == pytest.approx(run.mean(), rel=1e-6, abs=1e-6), metric
            assert row["reference_value"] == pytest.approx(reference.mean(), rel=1e-6, abs=1e-6)
            if row["status"] == OK:
                expected = stats.ttest_rel(run, reference[run.index])
                assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-4)
        run, reference = (2 * side["net_kwh"].max() for side in sides)
        assert rows.loc["own_peak_kw", "value"] == pytest.approx(run.mean(), rel=1e-6)
        for side_run, column in ((run_id, "value"), ("uncontrolled", "reference_value")):
            fleet = by_run[side_run]
            fleet = fleet[fleet["half_hour_starts_at"].isin(common)]
            peak = 2 * fleet.groupby("half_hour_starts_at")["net_kwh"].sum().max()
            assert rows.loc[FLEET_PEAK, column] == pytest.approx(peak, rel=1e-6)


def test_smart_charging_of_the_seeds_costs_less(comparison):
    cost = comparison.set_index(["run_id", "metric"]).loc[("smart", "cost_eur")]
    assert cost["difference"] < 0
