"""What follows from an experiment: every state is reached, in the order of the rules."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from ev_charging.experiment.decision import (
    FIRST_ROLLOUT,
    INCONCLUSIVE,
    INTERPRET_WITH_CARE,
    INVALID,
    LARGE_ROLLOUT,
    NO_SHIP,
    NOT_READY,
    SHIP,
    STATES,
    STOP_HARM,
    experiment_decision,
)
from ev_charging.experiment.results import experiment_results
from ev_charging.experiment.savings import saving
from ev_charging.experiment_feed.effect import Effects as TrueEffects
from ev_charging.experiment_feed.experiment import generate_experiment
from experiment_cases import METRICS, Effects, Experiment, generated, make_experiment

CASES = {
    "the defaults": ({}, SHIP, "is better"),
    "lost users": ({"faults": ["lost_logging"]}, INVALID, "chance alone doesn't part users"),
    "mixed users": ({"faults": ["mixed_users"]}, INVALID, "are in more than one arm"),
    "a week": ({"days": 7}, NOT_READY, "7 of at least 14 days"),
    "too few users": (
        {"plan": {"planned_users": 2001}},
        NOT_READY,
        "2,000 of 2,001 planned users",
    ),
    "dearer energy": (
        {"effects": TrueEffects(low_price_share=-0.1)},
        STOP_HARM,
        "'Cost per kWh' +",
    ),
    "more sessions": (
        {"faults": ["moved_denominator"], "users": 4000},
        INTERPRET_WITH_CARE,
        "Sessions per user: ",
    ),
    "less energy": (
        {"effects": TrueEffects(low_price_share=0.0, energy_pct=-10.0)},
        NO_SHIP,
        "A primary is worse: 'Energy per session' -",
    ),
    "no effect": (
        {"effects": TrueEffects(low_price_share=0.0), "users": 20000},
        NO_SHIP,
        "No primary can have changed by a worthwhile amount",
    ),
    "an uncertain effect": (
        {"effects": TrueEffects(low_price_share=0.0), "users": 600, "seed": 3},
        INCONCLUSIVE,
        "Neither a worthwhile change nor its absence is shown",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_generated_case_reaches_its_state(case):
    arguments, state, words = CASES[case]
    decision = generated(**arguments).decision
    assert len(decision) == 1
    row = decision.iloc[0]
    assert row["state"] == state, row["reason"]
    assert words in row["reason"]
    assert row["decision_method"] == "cuped"
    assert pd.isna(row["rollout_share"]) == (state != SHIP)
    assert pd.isna(row["saving_eur_low"]) == (state in (INVALID, NOT_READY))


def test_the_cases_reach_every_state():
    assert {state for _, state, _ in CASES.values()} == set(STATES)


# --- the order of the rules -----------------------------------------------------------------------

HARM = Effects(low_price=-0.2, activity=2.0, cost=1.5)


def test_an_invalid_experiment_is_invalid_whatever_else_it_is():
    made = make_experiment(users=300, mixed=20, effects=HARM, plan={"days": 3})
    assert made.decision["state"].tolist() == [INVALID]


def test_an_experiment_that_is_not_ready_waits_also_with_harm():
    made = make_experiment(users=400, effects=HARM, plan={"days": 13, "planned_users": 500})
    row = made.decision.iloc[0]
    assert row["state"] == NOT_READY
    assert row["reason"].endswith("400 of 500 planned users and 13 of at least 14 days.")


@pytest.mark.parametrize(("planned", "state"), [(15, SHIP), (16, NOT_READY)])
def test_a_plan_that_has_not_run_out_waits(shifted, tolerant, planned, state):
    row = decided(shifted.but(plan={"planned_days": planned}), tolerant)
    assert row["state"] == state
    assert ("14 of 16 planned days" in row["reason"]) == (state == NOT_READY)


def test_moved_sessions_are_seen_by_the_method_that_decides(tolerant):
    made = make_experiment(users=3000, seed=4, effects=Effects(activity=1.05))
    assert made.check("sessions_per_user", "treatment")["status"] == "ok"
    assert made.result("sessions_per_user", "cuped")["p_value"] < 0.01
    assert decided(made, tolerant)["state"] == INTERPRET_WITH_CARE


def test_sessions_that_nobody_counts_are_not_taken_for_unmoved(shifted, tolerant):
    without = shifted.but()
    without.__dict__["user_metrics"] = shifted.user_metrics.query("metric != 'sessions_per_user'")
    row = decided(without, tolerant)
    assert row["state"] == INTERPRET_WITH_CARE
    assert "is not known" in row["reason"]


def test_mixed_users_count_as_assigned():
    made = make_experiment(users=398, mixed=2)
    assert made.decision["state"].tolist() != [NOT_READY]


def test_harm_comes_before_moved_sessions():
    made = make_experiment(users=1000, effects=HARM)
    assert made.check("sessions_per_user", "treatment")["status"] == "warning"
    assert made.decision["state"].tolist() == [STOP_HARM]


def test_moved_sessions_come_before_a_worse_primary():
    made = make_experiment(users=1000, effects=Effects(energy=0.7, activity=1.5))
    assert made.decision["state"].tolist() == [INTERPRET_WITH_CARE]


# --- ship, or not ---------------------------------------------------------------------------------


def decided(experiment: Experiment, metrics: pd.DataFrame) -> pd.Series:
    """The decision with other roles or thresholds of the metrics."""
    results = experiment_results(
        experiment.arms, experiment.values, experiment.experiments, metrics
    )
    decision = experiment_decision(results, experiment.health, experiment.experiments, metrics)
    assert len(decision) == 1
    return decision.iloc[0]


@pytest.fixture(scope="module")
def shifted() -> Experiment:
    """An experiment that clearly moves charging into low-price hours."""
    return make_experiment(users=3000, seed=2, effects=Effects(low_price=0.06))


@pytest.fixture(scope="module")
def tolerant() -> pd.DataFrame:
    """The metrics with margins that every guardrail keeps."""
    return METRICS.assign(noninferiority_margin_pct=50.0)


@pytest.mark.parametrize(
    ("worthwhile", "state", "share"),
    [(5.0, SHIP, LARGE_ROLLOUT), (12.0, SHIP, FIRST_ROLLOUT), (40.0, NO_SHIP, None)],
)
def test_the_worthwhile_uplift_decides(shifted, tolerant, worthwhile, state, share):
    row = decided(shifted, tolerant.assign(worthwhile_uplift_pct=worthwhile))
    assert row["state"] == state, row["reason"]
    assert row["rollout_share"] == share or (share is None and pd.isna(row["rollout_share"]))
    if share == FIRST_ROLLOUT:
        assert row["relative_ci_low"] < worthwhile / 100 <= row["relative_difference"]
    if share == LARGE_ROLLOUT:
        assert row["relative_ci_low"] > worthwhile / 100


def test_a_better_primary_that_is_too_small_is_not_shipped(shifted, tolerant):
    uplift = decided(shifted, tolerant)["relative_difference"]
    worthwhile = 100 * uplift + 1
    row = decided(shifted, tolerant.assign(worthwhile_uplift_pct=worthwhile))
    assert row["state"] == INCONCLUSIVE


def test_a_guardrail_that_may_be_worse_holds_back_the_shipping(shifted):
    strict = METRICS.assign(noninferiority_margin_pct=0.01)
    row = decided(shifted, strict)
    assert row["state"] == INCONCLUSIVE
    assert "a guardrail may be worse by more than its margin" in row["reason"]
    assert "'Sessions per user'" in row["reason"]


def test_a_guardrail_that_is_not_proven_says_how_many_users_would_prove_it(shifted):
    margin = 0.8
    one = METRICS["metric"] == "sessions_per_user"
    strict = METRICS.assign(noninferiority_margin_pct=np.where(one, margin, np.nan))
    row = decided(shifted, strict)
    assert row["state"] == INCONCLUSIVE
    activity = shifted.result("sessions_per_user", "cuped")
    steps = norm.ppf(0.95) + norm.ppf(0.8)
    reach = steps * activity["standard_error"] / (margin / 100 * activity["control_value"])
    assert row["users_needed"] == np.ceil(3000 * reach**2) > 3000
    assert f"{row['users_needed']:,.0f} users" in row["reason"]


def test_a_guardrail_without_a_margin_holds_back_nothing(shifted):
    assert decided(shifted, METRICS.assign(noninferiority_margin_pct=np.nan))["state"] == SHIP


def test_a_guardrail_that_could_not_be_compared_holds_back_the_shipping(shifted, tolerant):
    without_cost = shifted.but(sessions=shifted.sessions.assign(cost=np.nan))
    row = decided(without_cost, tolerant)
    assert row["state"] == INCONCLUSIVE
    assert "'Cost per kWh' could not be compared" in row["reason"]
    assert pd.isna(row["saving_eur_low"])
    assert pd.notna(row["saving_co2_kg_low"])


@pytest.mark.parametrize(("factor", "state"), [(1.0, SHIP), (1.02, INCONCLUSIVE)])
def test_a_guardrail_without_variance_is_judged_by_its_figure(shifted, factor, state):
    treated = shifted.users.loc[shifted.users["variant"] == "treatment", "user_key"]
    is_treated = shifted.sessions["user_key"].isin(treated)
    flat = shifted.sessions["energy"] * 30 * np.where(is_treated, factor, 1)
    metrics = METRICS.assign(
        noninferiority_margin_pct=np.where(METRICS["metric"] == "gco2_per_kwh", 1.0, 50.0)
    )
    row = decided(shifted.but(sessions=shifted.sessions.assign(co2=flat)), metrics)
    assert row["state"] == state, row["reason"]


def test_a_primary_for_which_lower_is_better_ships_when_it_falls(shifted, tolerant):
    is_share = tolerant["metric"] == "low_price_share"
    is_cost = tolerant["metric"] == "cost_per_kwh"
    metrics = tolerant.assign(
        role=tolerant["role"].mask(is_share, "guardrail").mask(is_cost, "primary"),
        worthwhile_uplift_pct=1.0,
    )
    row = decided(shifted, metrics)
    assert row["state"] == SHIP, row["reason"]
    assert row["primary_metric"] == "cost_per_kwh"
    assert row["difference"] < 0
    assert row["rollout_share"] == (
        LARGE_ROLLOUT if row["relative_ci_high"] < -0.01 else FIRST_ROLLOUT
    )


def test_without_any_primary_nothing_is_concluded(shifted, tolerant):
    row = decided(shifted, tolerant.assign(role="guardrail"))
    assert row["state"] == INCONCLUSIVE
    assert row["reason"] == "No primary could be compared."
    assert pd.isna(row["primary_metric"])


def test_an_inconclusive_experiment_says_what_it_takes():
    made = generated(effects=TrueEffects(low_price_share=0.0), users=600, seed=3)
    row = made.decision.iloc[0]
    power = made.power.query(
        "metric == @row.primary_metric and method == 'cuped' and is_observed"
        " and target_effect_pct == 5"
    ).iloc[0]
    assert row["mde_relative_pct"] == pytest.approx(power["mde_relative_pct"])
    assert row["users_needed"] == power["users_needed"]
    assert f"takes {row['users_needed']:,.0f} users" in row["reason"]


# --- the method that decides ----------------------------------------------------------------------


def test_few_users_are_decided_by_hc3():
    made = make_experiment(users=198, plan={"planned_users": 100})
    assert made.decision["decision_method"].tolist() == ["hc3"]


def test_without_a_pre_period_the_delta_method_decides():
    made = make_experiment(users=400)
    before = [name for name in made.users if name.startswith("pre_")]
    made = made.but(users=made.users.assign(**dict.fromkeys(before, np.nan)))
    row = made.decision.iloc[0]
    assert row["decision_method"] == "delta"
    assert row["difference"] == made.result(row["primary_metric"])["difference"]


def test_a_guardrail_without_a_pre_period_is_judged_by_the_delta_method(shifted, tolerant):
    made = shifted.but(users=shifted.users.assign(pre_cost_eur=np.nan))
    row = decided(made, tolerant)
    assert row["decision_method"] == "cuped"
    assert row["state"] == SHIP


def test_each_treatment_has_a_decision_of_its_own():
    made = make_experiment(users=900, variants=("control", "nudge", "price"))
    assert made.decision["treatment_variant"].tolist() == ["nudge", "price"]
    users = made.users["variant"].value_counts()
    assert made.decision["users"].tolist() == [
        users["control"] + users["nudge"],
        users["control"] + users["price"],
    ]


# --- savings --------------------------------------------------------------------------------------


def test_the_saving_is_the_effect_per_kwh_times_the_energy():
    made = make_experiment(users=600, effects=Effects(cost=0.9))
    row = made.decision.iloc[0]
    cost = made.result("cost_per_kwh", "cuped")
    treated = made.users.loc[made.users["variant"] == "treatment", "user_key"]
    energy = made.sessions.loc[made.sessions["user_key"].isin(treated), "energy"].sum()
    monthly = energy / len(treated) / 14 * 365.25 / 12 * 1000
    assert row["saving_eur_per_1000_users_month"] == pytest.approx(-cost["difference"] * monthly)
    assert row["saving_eur_low"] == pytest.approx(-cost["ci_high"] * monthly)
    assert row["saving_eur_high"] == pytest.approx(-cost["ci_low"] * monthly)
    assert row["saving_eur_low"] > 0
    carbon = made.result("gco2_per_kwh", "cuped")
    assert row["saving_co2_kg_per_1000_users_month"] == pytest.approx(
        -carbon["difference"] * monthly / 1000
    )


def test_users_who_came_late_save_by_the_days_that_they_were_there():
    made = make_experiment(users=600, effects=Effects(cost=0.9))
    late = made.but()
    assignments = made.assignments
    late.__dict__["assignments"] = assignments.assign(user_days=assignments["user_days"] / 2)
    name = "saving_eur_per_1000_users_month"
    assert late.decision[name][0] == pytest.approx(2 * made.decision[name][0])


def test_no_effect_saves_nothing():
    effect = pd.Series({"difference": 0.0, "ci_low": -0.1, "ci_high": 0.2})
    estimate, low, high = saving(effect, 1.0)
    assert str(estimate) == "0.0"
    assert low < 0 < high
    assert low == -2 * high


# --- the default warehouse ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth() -> dict[str, dict]:
    return generate_experiment().truth["metrics"]


def test_the_interval_of_the_decision_covers_the_truth(connection, truth):
    rows = connection.execute(
        "select state, primary_metric, ci_low, ci_high from experiment.experiment_decision"
    ).fetchall()
    assert len(rows) == 1
    state, metric, low, high = rows[0]
    assert state == SHIP
    assert metric == "low_price_share"
    assert low <= truth[metric]["absolute"] <= high


def test_every_valid_estimate_is_near_the_truth(connection, truth):
    rows = connection.execute(
        """
        select metric, method, difference, standard_error
        from experiment.experiment_results
        where is_valid and status = 'ok'
        """
    ).fetchall()
    assert {row[0] for row in rows} == set(truth)
    for metric, method, difference, standard_error in rows:
        # Three and a half standard errors: of some forty estimates that depend on each other.
        distance = abs(difference - truth[metric]["absolute"])
        assert distance < 3.5 * standard_error, (metric, method)
