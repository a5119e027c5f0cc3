"""Looks, segments and power: what the results say earlier, elsewhere, and with more users."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from ev_charging.experiment.looks import aggregate_user_days, experiment_looks
from ev_charging.experiment.power import minimum_detectable_effect
from ev_charging.experiment.power_table import experiment_power
from ev_charging.experiment.segment_results import aggregate_segments
from experiment_cases import METRICS, PLAN, PRIMARIES, Effects, Experiment, make_experiment

LOOKS = 20
EXPERIMENTS = 400


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return make_experiment(users=600, effects=Effects(low_price=0.06))


# --- looks ----------------------------------------------------------------------------------------


def test_the_last_look_is_the_result(experiment):
    last = experiment.looks[experiment.looks["is_last_look"]].set_index("metric")
    assert set(last.index) == set(PRIMARIES)
    for metric, look in last.iterrows():
        delta = experiment.result(metric)
        sequence = experiment.result(metric, "confidence_sequence")
        assert look["day_number"] == 14
        assert look["users"] == 600
        for name, row in (("fixed", delta), ("anytime", sequence)):
            assert look[f"{name}_ci_low"] == pytest.approx(row["ci_low"])
            assert look[f"{name}_ci_high"] == pytest.approx(row["ci_high"])
            assert look[f"{name}_p_value"] == pytest.approx(row["p_value"])
        assert look["difference"] == pytest.approx(delta["difference"])


def test_a_look_is_the_result_of_the_sessions_so_far(experiment):
    so_far = experiment.but(sessions=experiment.sessions.query("day_number <= 5"))
    for metric in PRIMARIES:
        look = experiment.looks.query("metric == @metric and day_number == 5").iloc[0]
        delta = so_far.result(metric)
        assert look["difference"] == pytest.approx(delta["difference"])
        assert look["standard_error"] == pytest.approx(delta["standard_error"])


def test_every_day_is_a_look_also_one_without_sessions(experiment):
    sessions = experiment.sessions.query("day_number > 3 and day_number != 8")
    looks = experiment.but(sessions=sessions).looks.query("metric == 'low_price_share'")
    assert looks["day_number"].tolist() == list(range(1, 15))
    assert looks["status"].tolist()[:4] == ["no_denominator"] * 3 + ["ok"]
    assert looks["fixed_verdict"].iloc[0] == looks["anytime_verdict"].iloc[0] == "not_available"
    assert looks["difference"].iloc[7] == looks["difference"].iloc[6]


def test_who_is_assigned_after_the_last_session_counts_at_the_last_look(experiment):
    late = experiment.days.copy()
    late["day_number"] = [np.where(days == 14, 15, days) for days in late["day_number"]]
    found = experiment_looks(late, experiment.experiments, METRICS)
    pd.testing.assert_frame_equal(found, experiment.looks)


@pytest.mark.parametrize(("better", "verdict"), [("higher", "better"), ("lower", "worse")])
def test_a_verdict_knows_which_direction_is_good(experiment, better, verdict):
    looks = experiment_looks(experiment.days, experiment.experiments, METRICS.assign(better=better))
    last = looks.query("metric == 'low_price_share' and is_last_look").iloc[0]
    assert last["fixed_verdict"] == verdict


def test_duckdb_makes_the_same_days_as_pandas(experiment):
    variants = experiment.users.set_index("user_key")["variant"]
    rows = [
        {
            "experiment_id": "e1",
            "metric": row.metric,
            "variant": row.variant,
            "user_id": sorted(variants[variants == row.variant].index)[user],
            "day_number": day,
            "numerator": numerator,
            "denominator": denominator,
        }
        for row in experiment.days.itertuples()
        for user, day, numerator, denominator in zip(
            row.user_number, row.day_number, row.numerator, row.denominator, strict=True
        )
    ]
    idle = pd.DataFrame([{"user_key": "x", "variant": "idle"}])
    assigned = pd.concat([experiment.users[["user_key", "variant"]], idle])
    assigned = assigned.rename(columns={"user_key": "user_id"})
    assignment = {
        "experiment_id": "e1",
        "is_mixed": False,
        "assigned_at": pd.Timestamp("2024-10-20"),
    }
    plans = experiment.experiments[["experiment_id"]].assign(starts_at=pd.Timestamp("2024-10-20"))
    with duckdb.connect() as connection:
        connection.register("plans", plans)
        connection.register("day_rows", pd.DataFrame(rows).sample(frac=1, random_state=1))
        connection.register("assigned", assigned.assign(**assignment))
        connection.register("metric_rows", METRICS)
        found = aggregate_user_days(
            connection,
            connection.table("day_rows"),
            connection.table("assigned"),
            connection.table("plans"),
            connection.table("metric_rows"),
        )
    without_idle = found[found["variant"] != "idle"].reset_index(drop=True)
    looks = experiment_looks(without_idle, experiment.experiments, METRICS)
    pd.testing.assert_frame_equal(looks, experiment.looks, check_exact=True)
    is_idle = found["variant"] == "idle"
    assert [list(days) for days in found.loc[is_idle, "assigned_day"]] == [[1], [1]]
    assert [len(days) for days in found.loc[is_idle, "day_number"]] == [0, 0]


def test_users_count_from_the_day_of_their_assignment_on(experiment):
    days = experiment.days.copy()
    days["assigned_day"] = [np.arange(len(users)) % 3 * 5 for users in days["assigned_day"]]
    for name in ("user_number", "day_number", "numerator", "denominator"):
        days[name] = [values[:0] for values in days[name]]
    looks = experiment_looks(days, experiment.experiments, METRICS)
    users = looks.query("metric == 'low_price_share'").set_index("day_number")["users"]
    assert users.loc[[1, 4]].nunique() == users.loc[[5, 9]].nunique() == 1
    assert users[1] < users[5] < users[10] == users[14] == 600


def test_the_day_of_an_assignment_is_counted_from_the_beginning_of_the_experiment():
    with duckdb.connect() as connection:
        assignments = connection.sql(
            """
            select
                'e1' as experiment_id, 'control' as variant, user_id, assigned_at,
                false as is_mixed
            from (values
                ('a', timestamp '2024-10-01 00:00'),
                ('b', timestamp '2024-10-21 21:59'),
                ('c', timestamp '2024-10-21 22:00')
            ) as users (user_id, assigned_at)
            """
        )
        experiments = connection.sql(
            "select 'e1' as experiment_id, timestamp '2024-10-20 22:00' as starts_at"
        )
        metrics = connection.sql("select 'low_price_share' as metric, 'primary' as role")
        nothing = connection.sql(
            "select 'e1' as experiment_id, 'x' as metric, 'control' as variant, 'a' as user_id,"
            " 1 as day_number, 0 as numerator, 0 as denominator where false"
        )
        found = aggregate_user_days(connection, nothing, assignments, experiments, metrics)
    assert list(found["assigned_day"].iloc[0]) == [1, 1, 2]


@pytest.fixture(scope="module", params=["at once", "over time"])
def false_alarms(request: pytest.FixtureRequest) -> dict[str, float]:
    """Share of A/A experiments with any significant look among twenty."""
    random = np.random.default_rng(8)
    users = 400
    plan = {"days": LOOKS, "planned_users": users}
    days, plans = [], []
    for number in range(EXPERIMENTS):
        for variant in ("control", "treatment"):
            arm_users = users // 2
            habit = random.beta(2, 3, arm_users)
            sessions = random.poisson(0.4, (arm_users, LOOKS))
            assigned_day = np.ones(arm_users, dtype=int)
            if request.param == "over time":
                assigned_day = random.integers(1, LOOKS + 1, arm_users)
                sessions[np.arange(1, LOOKS + 1) < assigned_day[:, np.newaxis]] = 0
            low = random.binomial(sessions, habit[:, np.newaxis])
            user, day = np.nonzero(sessions)
            days.append(
                {
                    "experiment_id": f"{number:04d}",
                    "metric": "low_price_share",
                    "variant": variant,
                    "assigned_day": assigned_day,
                    "user_number": user,
                    "day_number": day + 1,
                    "numerator": low[user, day].astype(float),
                    "denominator": sessions[user, day].astype(float),
                }
            )
        plans.append({"experiment_id": f"{number:04d}"} | PLAN | plan)
    looks = experiment_looks(
        pd.DataFrame(days), pd.DataFrame(plans), METRICS.query("metric == 'low_price_share'")
    )
    assert len(looks) == EXPERIMENTS * LOOKS
    return {
        name: looks[f"{name}_verdict"]
        .isin(["better", "worse"])
        .groupby(looks["experiment_id"])
        .any()
        .mean()
        for name in ("fixed", "anytime")
    }


def test_twenty_looks_at_the_confidence_sequence_raise_few_false_alarms(false_alarms):
    assert false_alarms["anytime"] < 0.05


def test_twenty_looks_at_the_fixed_interval_raise_many(false_alarms):
    assert false_alarms["fixed"] > 0.12


# --- segments -------------------------------------------------------------------------------------


def test_each_segment_is_an_experiment_of_its_own(experiment):
    users = experiment.users[experiment.users["segment"] == "house"]
    house = experiment.but(
        users=users,
        sessions=experiment.sessions[experiment.sessions["user_key"].isin(users["user_key"])],
    )
    for metric in PRIMARIES:
        row = experiment.segments.query("metric == @metric and segment == 'house'").iloc[0]
        delta = house.result(metric)
        assert row["users_control"] + row["users_treatment"] == len(users)
        for name in ("difference", "standard_error", "ci_low", "p_value"):
            assert row[name] == pytest.approx(delta[name])


def test_segments_are_adjusted_together(experiment):
    segments = experiment.segments
    expected = multipletests(segments["p_value"], method="fdr_bh")[1]
    assert segments["p_value_adjusted"].to_numpy() == pytest.approx(expected)
    assert (segments["is_significant"] == (segments["p_value_adjusted"] < 0.05)).all()
    assert segments.groupby("metric")["share_of_users"].sum().to_numpy() == pytest.approx([1, 1])


def test_heterogeneity_is_the_same_in_all_segments_of_a_metric(experiment):
    for _, rows in experiment.segments.groupby("metric"):
        weights = 1 / rows["standard_error"] ** 2
        pooled = (weights * rows["difference"]).sum() / weights.sum()
        q = (weights * (rows["difference"] - pooled) ** 2).sum()
        assert rows["heterogeneity_q"].to_numpy() == pytest.approx([q, q])
        assert set(rows["heterogeneity_degrees_of_freedom"]) == {1}


def test_a_segment_without_an_arm_has_a_status_and_the_others_their_figures():
    made = make_experiment(users=300)
    alone = made.users["user_key"].isin(
        made.users.loc[made.users["variant"] == "control", "user_key"].head(5)
    )
    users = made.users.assign(segment=made.users["segment"].mask(alone, "alone"))
    segments = made.but(users=users).segments.query("metric == 'low_price_share'")
    assert segments["segment"].tolist() == ["alone", "flat", "house"]
    assert segments["status"].tolist() == ["no_treatment_users", "ok", "ok"]
    assert segments["heterogeneity_p_value"].notna().all()


def test_a_handful_of_users_says_nothing_about_heterogeneity():
    made = make_experiment(users=600)
    few = made.users["user_key"].isin(made.users["user_key"].iloc[:60])
    tiny = made.but(users=made.users.assign(segment=made.users["segment"].mask(few, "tiny")))
    rows = tiny.segments.query("metric == 'low_price_share'")
    assert rows["segment"].tolist() == ["flat", "house", "tiny"]
    assert set(rows["heterogeneity_degrees_of_freedom"]) == {1}


def test_only_primaries_are_aggregated_by_segment(experiment):
    with duckdb.connect() as connection:
        connection.register("user_rows", experiment.user_metrics)
        connection.register("metric_rows", METRICS)
        found = aggregate_segments(
            connection, connection.table("user_rows"), connection.table("metric_rows")
        )
    assert set(found["metric"]) == set(PRIMARIES)
    assert set(found["segment"]) == {"flat", "house"}
    assert len(found) == 8


# --- power ----------------------------------------------------------------------------------------


def test_the_observed_weeks_have_the_standard_error_of_the_results(experiment):
    observed = experiment.power[experiment.power["is_observed"]]
    assert set(observed["weeks"]) == {2.0}
    assert set(observed["users"]) == {600}
    for row in observed.itertuples():
        result = experiment.result(row.metric, row.method)
        assert row.standard_error == result["standard_error"]
        mde = minimum_detectable_effect(result["standard_error"])
        assert row.mde_absolute == pytest.approx(mde)
        assert row.mde_relative_pct == pytest.approx(100 * mde / result["control_value"])
        needed = 600 * (row.mde_relative_pct / row.target_effect_pct) ** 2
        assert row.users_needed == np.ceil(needed)


def test_more_weeks_shrink_only_the_variance_of_sessions(experiment):
    naive = experiment.result("energy_per_session", "naive_welch")["standard_error"]
    delta = experiment.result("energy_per_session")
    table = experiment.power.query(
        "metric == 'energy_per_session' and method == 'delta' and target_effect_pct == 1"
    )
    assert table["weeks"].tolist() == list(range(1, 13))
    expected = naive * np.sqrt(2 / table["weeks"] + delta["design_effect"] - 1)
    assert table["standard_error"].to_numpy() == pytest.approx(expected.to_numpy())


def test_weeks_that_are_not_whole_stand_beside_the_whole_ones():
    table = make_experiment(users=200, plan={"days": 10}).power
    weeks = table.query("method == 'delta' and target_effect_pct == 1")["weeks"].unique()
    assert sorted(weeks) == sorted([*range(1, 13), 10 / 7])
    assert set(table.loc[table["is_observed"], "weeks"]) == {10 / 7}


def test_without_naive_methods_only_the_observed_weeks_are_known(experiment):
    results = experiment.results[~experiment.results["method"].str.startswith("naive")]
    assert set(experiment_power(results, experiment.experiments)["weeks"]) == {2.0}
