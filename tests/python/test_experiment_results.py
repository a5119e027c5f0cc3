"""The table of effects: every method, the wrong ones labelled, and no figure missing silently."""

import warnings

import duckdb
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from dbt_runner import PROJECT_ROOT
from ev_charging.experiment import effect, frames
from ev_charging.experiment.arm import Arm
from ev_charging.experiment.arms import TOTALS, aggregate_arms, arms_frame, comparisons, read_arms
from ev_charging.experiment.cuped import cuped
from ev_charging.experiment.naive import SessionValues, two_proportion_z, welch_t
from ev_charging.experiment.ratio import delta_method
from ev_charging.experiment.results import FAMILIES, NAIVE, experiment_results
from ev_charging.experiment.segment_results import SEGMENT_KEYS
from ev_charging.experiment.wording import STATUS_SENTENCES
from ev_charging.experiment_feed.effect import Effects as TrueEffects
from ev_charging.experiment_feed.experiment import generate_experiment
from ev_charging.frames import typed_frame
from experiment_cases import METRICS, PRIMARIES, Effects, Experiment, make_experiment, together

COLUMNS = {
    "experiment_results": frames.RESULTS,
    "experiment_health": frames.HEALTH,
    "experiment_segments": frames.SEGMENTS,
    "experiment_looks": frames.LOOKS,
    "experiment_power": frames.POWER,
    "experiment_decision": frames.DECISION,
}
KEYS = {
    "experiment_results": ["experiment_id", "treatment_variant", "metric", "method"],
    "experiment_health": ["experiment_id", "check_name", "subject"],
    "experiment_segments": ["experiment_id", "treatment_variant", "metric", "segment"],
    "experiment_looks": ["experiment_id", "treatment_variant", "metric", "day_number"],
    "experiment_power": [
        *("experiment_id", "treatment_variant", "metric", "method"),
        *("weeks", "target_effect_pct"),
    ],
    "experiment_decision": ["experiment_id", "treatment_variant"],
}
# What every row that is ok must have.
COMPLETE = {
    "experiment_results": ["difference", "standard_error", "ci_low", "ci_high", "is_significant"],
    "experiment_health": ["value"],
    "experiment_segments": ["difference", "ci_low", "ci_high", "p_value", "p_value_adjusted"],
    "experiment_looks": ["difference", "fixed_p_value", "anytime_ci_low", "anytime_p_value"],
}
# What every row must have.
ALWAYS = {
    "experiment_results": ["role", "is_valid", "users_control", "status", "remark"],
    "experiment_health": ["status", "finding"],
    "experiment_segments": ["status"],
    "experiment_looks": ["fixed_verdict", "anytime_verdict", "is_last_look", "status"],
    "experiment_power": ["standard_error", "mde_absolute", "is_observed"],
    "experiment_decision": ["state", "reason", "decision_method", "users", "planned_users"],
}


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return make_experiment(users=600, effects=Effects(low_price=0.05))


# --- degenerate experiments -----------------------------------------------------------------------


def only(variant: str) -> Experiment:
    made = make_experiment(users=40)
    users = made.users[made.users["variant"] == variant]
    return made.but(users=users, sessions=made.sessions[_of(users, made.sessions)])


def _of(users: pd.DataFrame, sessions: pd.DataFrame) -> pd.Series:
    return sessions["user_key"].isin(users["user_key"])


def one_user() -> Experiment:
    made = only("treatment")
    users = made.users.head(1)
    return made.but(users=users, sessions=made.sessions[_of(users, made.sessions)])


def one_user_per_arm() -> Experiment:
    made = make_experiment(users=40)
    users = made.users.drop_duplicates("variant")
    return made.but(users=users, sessions=made.sessions[_of(users, made.sessions)])


def all_zero() -> Experiment:
    made = make_experiment(users=40)
    columns = ["low", "peak", "energy", "low_energy", "cost", "co2"]
    return made.but(sessions=made.sessions.assign(**dict.fromkeys(columns, 0.0)))


def all_null() -> Experiment:
    made = make_experiment(users=40)
    columns = ["low", "peak", "energy", "low_energy", "cost", "co2"]
    return made.but(sessions=made.sessions.assign(**dict.fromkeys(columns, np.nan)))


def no_sessions() -> Experiment:
    made = make_experiment(users=40, plan={"days": 0})
    return made.but(sessions=made.sessions.head(0))


def no_pre_period() -> Experiment:
    made = make_experiment(users=40)
    before = [name for name in made.users if name.startswith("pre_")]
    return made.but(users=made.users.assign(**dict.fromkeys(before, np.nan)))


def nobody() -> Experiment:
    made = make_experiment(users=40, plan={"days": 0})
    return made.but(users=made.users.head(0), sessions=made.sessions.head(0))


def a_whale() -> Experiment:
    """One treated user has half of all sessions."""
    made = make_experiment(users=400)
    whale = made.users.loc[made.users["variant"] == "treatment", "user_key"].iloc[0]
    others = made.sessions[made.sessions["user_key"] != whale]
    return made.but(sessions=pd.concat([others, others.assign(user_key=whale)], ignore_index=True))


def segments_of_one_arm() -> Experiment:
    made = make_experiment(users=40)
    return made.but(users=made.users.assign(segment="in " + made.users["variant"]))


DEGENERATE = {
    "no control": lambda: only("treatment"),
    "no treatment": lambda: only("control"),
    "one user": one_user,
    "one user per arm": one_user_per_arm,
    "all zero": all_zero,
    "all null": all_null,
    "no sessions": no_sessions,
    "no pre-period": no_pre_period,
    "nobody": nobody,
    "a whale": a_whale,
    "segments of one arm": segments_of_one_arm,
    "three arms": lambda: make_experiment(users=300, variants=("control", "nudge", "price")),
    "twelve mixed users": lambda: make_experiment(users=388, mixed=12),
    "few users": lambda: make_experiment(users=60),
}


@pytest.fixture(scope="module", params=DEGENERATE)
def degenerate(request: pytest.FixtureRequest) -> Experiment:
    """Experiments with which something is wrong; all frames are made without a warning."""
    made = DEGENERATE[request.param]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert made.frames
    return made


def test_every_frame_has_its_columns_types_and_order(degenerate):
    for name, frame in degenerate.frames.items():
        assert frame.dtypes.astype(str).to_dict() == COLUMNS[name], name
        assert not frame.duplicated(KEYS[name]).any(), name
        assert frame.equals(frame.sort_values(KEYS[name], kind="stable")), name


def test_no_figure_is_missing_without_a_status(degenerate):
    for name, frame in degenerate.frames.items():
        assert frame[KEYS[name] + ALWAYS[name]].notna().all(axis=None), name
        if name in COMPLETE:
            is_judged = ~frame["status"].isin(["ok", "warning", "alarm"])
            missing = frame.loc[~is_judged, COMPLETE[name]].isna()
            assert not missing.any(axis=None), (name, frame[~is_judged][missing.any(axis=1)])


def test_no_figure_is_infinite(degenerate):
    for name, frame in degenerate.frames.items():
        assert not np.isinf(frame.select_dtypes("float64")).any(axis=None), name


def test_a_p_value_is_missing_only_where_there_is_none(degenerate):
    results = degenerate.results
    is_bootstrap = results["method"].str.contains("bootstrap")
    tested = results[(results["status"] == "ok") & ~is_bootstrap]
    assert tested["p_value"].between(0, 1).all()
    assert (
        tested.loc[tested["is_valid"] & (tested["role"] == "primary"), "p_value_holm"].notna().all()
    )
    assert results.loc[is_bootstrap, "p_value"].isna().all()


@pytest.mark.parametrize(
    ("case", "metric", "status"),
    [
        ("no control", "low_price_share", "no_control_users"),
        ("one user", "energy_per_session", "no_control_users"),
        ("one user per arm", "low_price_share", "too_few_users"),
        ("all zero", "energy_per_session", "no_variance"),
        ("all zero", "cost_per_kwh", "no_denominator"),
        ("all null", "low_price_share", "no_denominator"),
        ("no sessions", "low_price_share", "no_denominator"),
        ("no sessions", "sessions_per_user", "no_variance"),
    ],
)
def test_the_status_says_what_is_wrong(case, metric, status):
    row = DEGENERATE[case]().result(metric)
    assert row["status"] == status
    assert row["remark"].startswith("Not computed: ")


def test_an_experiment_without_a_treatment_says_so():
    made = only("control")
    assert set(made.results["treatment_variant"]) == {"none"}
    assert set(made.results["status"]) <= {"no_treatment_users"}
    assert made.decision["state"].tolist() == ["invalid"]


def test_without_a_pre_period_only_cuped_is_missing():
    results = no_pre_period().results
    is_cuped = results["method"] == "cuped"
    assert set(results.loc[is_cuped, "status"]) == {"no_pre_period"}
    assert set(results.loc[~is_cuped, "status"]) == {"ok"}


def test_every_code_has_a_sentence():
    codes = {
        value
        for name, value in vars(effect).items()
        if name.isupper() and isinstance(value, str) and value == name.lower() and name != "OK"
    }
    assert len(codes) >= 7
    assert set(STATUS_SENTENCES) == codes


# --- the rows -------------------------------------------------------------------------------------


def test_every_metric_has_its_methods(experiment):
    found = experiment.results.groupby("metric")["method"].agg(set)
    of_users = {"delta", "hc3", "cuped", "confidence_sequence"}
    assert found["cost_per_kwh"] == found["sessions_per_user"] == of_users
    assert found["peak_hour_share"] == of_users | {
        "cluster_robust",
        "naive_welch",
        "naive_two_proportion_z",
    }
    assert found["low_price_share"] == set(FAMILIES)
    assert found["energy_per_session"] == set(FAMILIES) - {"naive_two_proportion_z"}


def test_rows_are_what_the_estimators_say(experiment):
    for metric in METRICS["metric"]:
        control, treatment = next(
            comparisons(read_arms(experiment.arms), experiment.experiments)
        ).pair(metric)
        assert control.users + treatment.users == 600
        for method, expected in (
            ("delta", delta_method(control, treatment)),
            ("cuped", cuped(control, treatment).effect),
        ):
            row = experiment.result(metric, method)
            assert row["control_value"] == expected.control
            for name in ("difference", "standard_error", "ci_low", "ci_high", "p_value"):
                assert row[name] == getattr(expected, name), (metric, method, name)


def test_naive_rows_are_labelled_and_say_why(experiment):
    results = experiment.results
    naive = results[results["method"].str.startswith("naive_")]
    assert set(naive["method_family"]) == {NAIVE}
    assert not naive["is_valid"].any()
    assert set(naive["unit_of_analysis"]) == {"session"}
    assert naive["p_value_holm"].isna().all()
    assert naive["remark"].str.startswith("Don't use: ").all()
    others = results.drop(naive.index)
    assert others["is_valid"].all()
    assert set(others["unit_of_analysis"]) == {"user"}
    assert not others["remark"].str.contains("Don't use").any()


def test_the_remark_of_a_naive_row_has_the_design_effect(experiment):
    row = experiment.result("low_price_share", "naive_welch")
    delta = experiment.result("low_price_share", "delta")
    sessions = row["denominator_control"] + row["denominator_treatment"]
    assert row["design_effect"] == pytest.approx(
        (delta["standard_error"] / row["standard_error"]) ** 2
    )
    assert row["design_effect"] > 1.5
    assert row["effective_sessions"] == pytest.approx(sessions / row["design_effect"])
    assert f"{sessions:,.0f} sessions" in row["remark"]
    assert f"{row['effective_sessions']:,.0f} (design effect" in row["remark"]


def test_holm_is_over_all_primaries_and_treatments():
    made = make_experiment(users=900, variants=("control", "nudge", "price"))
    for method in ("delta", "cuped", "hc3", "cluster_robust", "confidence_sequence"):
        rows = made.results[
            (made.results["method"] == method) & (made.results["role"] == "primary")
        ]
        assert len(rows) == 4
        expected = multipletests(rows["p_value"], method="holm")[1]
        assert rows["p_value_holm"].to_numpy() == pytest.approx(expected)
        assert (rows["is_significant"] == (rows["p_value_holm"] < 0.05)).all()
    assert made.results.loc[made.results["role"] == "guardrail", "p_value_holm"].isna().all()


def test_non_inferiority_without_a_margin_is_the_one_sided_test(experiment):
    metrics = METRICS.assign(noninferiority_margin_pct=0.0)
    results = experiment_results(
        experiment.arms, experiment.values, experiment.experiments, metrics
    ).set_index(["metric", "method"])
    for metric, better in (("cost_per_kwh", -1), ("sessions_per_user", 1), ("gco2_per_kwh", -1)):
        for method in ("delta", "cuped"):
            row = results.loc[(metric, method)]
            half = row["p_value"] / 2
            expected = half if better * row["difference"] > 0 else 1 - half
            assert row["noninferiority_p_value"] == pytest.approx(expected), (metric, method)
    assert results.loc[(list(PRIMARIES), slice(None)), "noninferiority_p_value"].isna().all()


def test_a_guardrail_without_a_margin_is_not_tested(experiment):
    metrics = METRICS.assign(noninferiority_margin_pct=np.nan)
    results = experiment_results(
        experiment.arms, experiment.values, experiment.experiments, metrics
    )
    assert results["is_noninferior"].isna().all()


def test_the_order_of_the_rows_changes_nothing(experiment):
    shuffled = experiment.user_metrics.sample(frac=1, random_state=7)
    values = experiment.values.sample(frac=1, random_state=7)
    again = experiment_results(
        arms_frame(shuffled).sample(frac=1, random_state=7),
        values,
        experiment.experiments,
        METRICS.sample(frac=1, random_state=7),
    )
    pd.testing.assert_frame_equal(again, experiment.results, check_exact=True)


def test_duckdb_makes_the_same_arms_as_pandas():
    made = make_experiment(users=50)
    users = made.user_metrics.copy()
    is_new = users["user_key"].isin(users["user_key"].unique()[:5])
    users.loc[is_new, ["pre_numerator", "pre_denominator"]] = np.nan
    with duckdb.connect() as connection:
        for keys in (("experiment_id", "metric", "variant"), SEGMENT_KEYS):
            expected = arms_frame(users, keys)
            connection.register("users", users.sample(frac=1, random_state=3))
            found = aggregate_arms(connection.table("users"), keys)
            assert found[list(keys)].equals(expected[list(keys)])
            for name in TOTALS:
                for left, right in zip(found[name], expected[name], strict=True):
                    np.testing.assert_array_equal(np.asarray(left), right)


# --- several experiments, and none ----------------------------------------------------------------


def test_experiments_do_not_influence_each_other():
    first = make_experiment(users=200, seed=3, experiment_id="first")
    second = make_experiment(
        users=300,
        seed=4,
        experiment_id="second",
        variants=("old", "new"),
        plan={"control_variant": "old", "alpha": 0.1, "days": 12},
    )
    joined = together(second, first)
    for name, frame in joined.items():
        expected = pd.concat([first.frames[name], second.frames[name]], ignore_index=True)
        pd.testing.assert_frame_equal(frame, expected, check_exact=True)


def test_nothing_gives_empty_typed_frames():
    made = make_experiment(users=20)
    empty = {
        name: getattr(made, name).head(0)
        for name in ("arms", "segment_arms", "values", "days", "assignments", "session_counts")
    }

    class Empty:
        experiments = made.experiments.head(0)

    for name, frame in empty.items():
        setattr(Empty, name, frame)
    with duckdb.connect() as connection:
        for name, frame in together(Empty()).items():
            assert frame.empty
            assert frame.dtypes.astype(str).to_dict() == COLUMNS[name]
            connection.register("frame", frame)
            types = {
                row[0]: row[1]
                for row in connection.execute("describe select * from frame").fetchall()
            }
            wanted = {"str": "VARCHAR", "float64": "DOUBLE", "Int64": "BIGINT"}
            wanted["boolean"] = "BOOLEAN"
            assert types == {column: wanted[kind] for column, kind in COLUMNS[name].items()}


def test_a_frame_refuses_a_column_that_it_does_not_have():
    with pytest.raises(ValueError, match="not in the frame: wrong"):
        typed_frame(frames.HEALTH, [{"experiment_id": "e1", "wrong": 1}])


def test_an_infinite_figure_becomes_missing():
    frame = typed_frame(frames.HEALTH, [{"value": np.inf}, {"value": 1.0}])
    assert frame["value"].isna().tolist() == [True, False]


# --- A/A ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rejections() -> dict[tuple[str, str], float]:
    """Share of 3,000 random assignments in which a method sees an effect that isn't there.

    The users are the generator's 2,000, none of them with the signal.
    """
    made = generate_experiment(effects=TrueEffects(low_price_share=0.0))
    users = made.users.drop_duplicates("user_id").set_index("user_id")
    sessions = made.sessions[made.sessions["user_id"].isin(users.index)]
    columns = {
        "low_price_share": (sessions["in_low_price_window"], "pre_low_price_sessions"),
        "energy_per_session": (sessions["energy_kwh"], "pre_energy_kwh"),
    }
    random = np.random.default_rng(11)
    rejected: dict[tuple[str, str], list[bool]] = {}
    totals = {
        metric: [
            *(
                values.astype(float)
                .groupby(sessions["user_id"])
                .agg([how])
                .iloc[:, 0]
                .reindex(users.index, fill_value=0)
                .to_numpy(dtype=float)
                for how in ("sum", "count")
            ),
            users[before].to_numpy(dtype=float),
            users["pre_sessions"].to_numpy(dtype=float),
            (values.astype(float) ** 2)
            .groupby(sessions["user_id"])
            .sum()
            .reindex(users.index, fill_value=0)
            .to_numpy(dtype=float),
        ]
        for metric, (values, before) in columns.items()
    }
    for _ in range(3000):
        is_treated = random.permutation(len(users)) % 2 == 1
        for metric, columns_of in totals.items():
            arms, naive = [], []
            for members in (~is_treated, is_treated):
                numerator, denominator, *before, squares = (
                    column[members] for column in columns_of
                )
                arms.append(Arm(numerator, denominator, *before))
                naive.append(_session_values(metric, numerator, denominator, squares))
            methods = {
                "delta": delta_method(*arms),
                "cuped": cuped(*arms).effect,
                "naive_welch": welch_t(*naive),
            }
            if metric == "low_price_share":
                methods["naive_two_proportion_z"] = two_proportion_z(*naive)
            for method, found in methods.items():
                rejected.setdefault((metric, method), []).append(found.p_value < 0.05)
    return {key: float(np.mean(values)) for key, values in rejected.items()}


def _session_values(
    metric: str, numerator: np.ndarray, denominator: np.ndarray, squares: np.ndarray
) -> SessionValues:
    total, sessions = numerator.sum(), denominator.sum()
    if metric == "low_price_share":
        return SessionValues(np.array([0.0, 1.0]), [sessions - total, total], [0.0, total])
    return SessionValues(np.array([total / sessions]), [sessions], [squares.sum()])


@pytest.mark.parametrize("metric", PRIMARIES)
@pytest.mark.parametrize("method", ["delta", "cuped"])
def test_valid_methods_reject_a_true_null_in_five_percent(rejections, metric, method):
    assert 0.037 <= rejections[metric, method] <= 0.065


@pytest.mark.parametrize(
    ("metric", "method"),
    [
        ("low_price_share", "naive_two_proportion_z"),
        ("low_price_share", "naive_welch"),
        ("energy_per_session", "naive_welch"),
    ],
)
def test_naive_methods_reject_a_true_null_far_too_often(rejections, metric, method):
    assert rejections[metric, method] > 0.25


# --- the built warehouse --------------------------------------------------------------------------


def test_results_are_those_of_the_sessions_in_core(connection):
    """The delta method once more, from the fact, the prices' flags apart."""
    users = connection.execute(
        """
        with users as (
            select user_key, min(variant) as variant
            from intermediate.int_experiment_assignments
            where not is_mixed
            group by user_key
        )
        select
            users.variant, users.user_key,
            coalesce(sum(sessions.energy_kwh), 0)::double as energy,
            count(sessions.energy_kwh)::double as sessions
        from users
        left join core.fct_charging_sessions as sessions
            on users.user_key = sessions.user_key
            and exists (
                select 1
                from intermediate.int_experiment_sessions as counted
                where counted.session_id = sessions.session_id
                    and sessions.source_system = 'experiment'
            )
        group by users.variant, users.user_key
        order by users.user_key
        """
    ).df()
    ratios, variances = {}, {}
    for variant, rows in users.groupby("variant"):
        energy, sessions = rows["energy"].to_numpy(), rows["sessions"].to_numpy()
        ratio = energy.sum() / sessions.sum()
        squares = ((energy - ratio * sessions) ** 2).sum()
        ratios[variant] = ratio
        variances[variant] = len(rows) / (len(rows) - 1) * squares / sessions.sum() ** 2
    row = connection.execute(
        """
        select difference, standard_error, control_value
        from experiment.experiment_results
        where metric = 'energy_per_session' and method = 'delta'
        """
    ).fetchall()
    assert len(row) == 1
    difference, standard_error, control_value = row[0]
    assert control_value == pytest.approx(ratios["control"])
    assert difference == pytest.approx(ratios["treatment"] - ratios["control"])
    assert standard_error == pytest.approx(sum(variances.values()) ** 0.5)


def test_every_method_in_the_warehouse_has_the_types_of_its_frame(connection):
    wanted = {"str": "VARCHAR", "float64": "DOUBLE", "Int64": "BIGINT", "boolean": "BOOLEAN"}
    for name, columns in COLUMNS.items():
        found = connection.execute(f"describe experiment.{name}").fetchall()
        assert {row[0]: row[1] for row in found} == {
            column: wanted[kind] for column, kind in columns.items()
        }


def test_models_of_statistics_are_thin():
    models = sorted((PROJECT_ROOT / "models" / "marts" / "experiment").glob("*.py"))
    assert {model.stem for model in models} == set(COLUMNS)
    for model in models:
        assert len(model.read_text(encoding="utf-8").splitlines()) < 40
