"""The estimators give what independent libraries gave on the same experiments.

Runs where the environment variable EV_REAL_DATA names a folder with the golden experiments, else
is skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from ev_charging.experiment.bootstrap import user_bootstrap
from ev_charging.experiment.cuped import cuped
from ev_charging.experiment.effect import Effect
from ev_charging.experiment.multiple import benjamini_hochberg, holm
from ev_charging.experiment.naive import session_bootstrap, two_proportion_z, welch_t
from ev_charging.experiment.noninferiority import noninferiority
from ev_charging.experiment.power import (
    design_effect,
    effective_sessions,
    minimum_detectable_effect,
)
from ev_charging.experiment.probability import expected_loss, probability_to_beat
from ev_charging.experiment.ratio import delta_method
from ev_charging.experiment.regression import cluster_robust, hc3
from ev_charging.experiment.sample_ratio import sample_ratio
from ev_charging.experiment.segments import cochran_q
from ev_charging.experiment.sequence import confidence_sequence
from experiment_data import GOLDEN, GOLDEN_EXPERIMENTS, METRICS, GoldenExperiment, golden

pytestmark = [
    pytest.mark.skipif(
        not all((GOLDEN / name / "expected.csv").is_file() for name in GOLDEN_EXPERIMENTS),
        reason="EV_REAL_DATA names no folder with the golden experiments",
    ),
    pytest.mark.parametrize("name", GOLDEN_EXPERIMENTS),
]

PLANNED_USERS = 5000
REPLICATES = 200_000
FIELDS = {
    "control": "control",
    "treatment": "treatment",
    "abs_diff": "difference",
    "se": "standard_error",
    "ci_low": "ci_low",
    "ci_high": "ci_high",
    "p_value": "p_value",
    "rel_diff": "relative_difference",
}
RELATIVE_INTERVAL = {"rel_ci_low": "relative_ci_low", "rel_ci_high": "relative_ci_high"}


@dataclass(frozen=True)
class Method:
    """One of our methods, and the row of the expected results that it must equal."""

    row: str
    library: str
    effect: Callable[[GoldenExperiment, str], Effect]
    metrics: tuple[str, ...] = METRICS
    has_relative_interval: bool = False


def _sequence(experiment: GoldenExperiment, metric: str) -> Effect:
    control, treatment = experiment.arms(metric)
    users = control.users + treatment.users
    return confidence_sequence(delta_method(control, treatment), users, PLANNED_USERS)


METHODS = {
    "naive z": Method(
        "naive two-proportion z (pooled)",
        "statsmodels",
        lambda experiment, metric: two_proportion_z(*experiment.session_values(metric)),
        metrics=("low_price_share",),
    ),
    "naive t": Method(
        "naive Welch t",
        "scipy",
        lambda experiment, metric: welch_t(*experiment.session_values(metric)),
    ),
    "delta method": Method(
        "delta method (ratio of means, normal)",
        "hand",
        lambda experiment, metric: delta_method(*experiment.arms(metric), distribution="normal"),
    ),
    "log ratio": Method(
        "delta method, log-ratio relative CI",
        "hand",
        lambda experiment, metric: delta_method(*experiment.arms(metric), distribution="normal"),
        has_relative_interval=True,
    ),
    "Welch t on both scales": Method(
        "delta method (t)",
        "tea-tasting",
        lambda experiment, metric: delta_method(*experiment.arms(metric), distribution="t"),
        has_relative_interval=True,
    ),
    "Welch t below 250 users": Method(
        "delta method (Welch t), absolute p",
        "gbstats",
        lambda experiment, metric: delta_method(*experiment.arms(metric)),
    ),
    "confidence sequence": Method(
        "asymptotic confidence sequence (always valid, N*=5000)", "gbstats", _sequence
    ),
    "cluster-robust": Method(
        "OLS session level, cluster-robust CR1, t(G-1)",
        "statsmodels",
        lambda experiment, metric: cluster_robust(
            *experiment.arms(metric), sessions=len(experiment.sessions)
        ),
    ),
    "cluster-robust elsewhere": Method(
        "OLS CRV1",
        "pyfixest",
        lambda experiment, metric: cluster_robust(
            *experiment.arms(metric), sessions=len(experiment.sessions)
        ),
    ),
    "HC3": Method(
        "WLS on user means, weights=sessions, HC3",
        "statsmodels",
        lambda experiment, metric: hc3(*experiment.arms(metric)),
    ),
    "CUPED": Method(
        "CUPED ratio (theta pooled within arm)",
        "hand",
        lambda experiment, metric: cuped(*experiment.arms(metric), distribution="normal").effect,
    ),
}
CASES = [(method, metric) for method in METHODS for metric in METHODS[method].metrics]


@pytest.mark.parametrize(("method", "metric"), CASES)
def test_a_method_gives_the_answer_of_its_library(name, method, metric):
    experiment, described = golden(name), METHODS[method]
    expected = experiment.answer(metric, described.row, described.library)
    effect = described.effect(experiment, metric)
    assert effect.status == "ok"
    fields = FIELDS | (RELATIVE_INTERVAL if described.has_relative_interval else {})
    compared = {column: field for column, field in fields.items() if expected.notna()[column]}
    assert {"abs_diff", "se", "ci_low", "ci_high", "p_value"} <= compared.keys()
    for column, field in compared.items():
        assert getattr(effect, field) == pytest.approx(expected[column], rel=1e-6), field


@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_of_fieller_is_given_where_it_is_needed(name, metric, monkeypatch):
    monkeypatch.setattr("ev_charging.experiment.effect._log_ratio_interval", lambda *_: None)
    effect = delta_method(*golden(name).arms(metric), distribution="normal")
    expected = golden(name).answer(metric, "Fieller relative CI", "hand")
    assert effect.relative_interval == "Fieller"
    for column, field in RELATIVE_INTERVAL.items():
        assert getattr(effect, field) == pytest.approx(expected[column], rel=1e-6), field


@pytest.mark.parametrize("metric", METRICS)
def test_cuped_finds_the_slope_and_what_it_explains(name, metric):
    expected = golden(name).answer(metric, "CUPED ratio (theta pooled within arm)", "hand")
    found = cuped(*golden(name).arms(metric))
    assert expected["note"] == (
        f"theta={found.theta:.4f} variance_reduction={found.variance_reduction:.3f}"
    )


@pytest.mark.parametrize("metric", METRICS)
def test_bootstrap_intervals_lie_where_others_found_them(name, metric):
    percentile, bca, _ = user_bootstrap(
        *golden(name).arms(metric), replicates=REPLICATES, seed=1, stream=f"{name}/{metric}"
    )
    rows = {
        "cluster bootstrap percentile (B=5000)": percentile,
        "cluster bootstrap BCa (closed-form user jackknife)": bca,
    }
    for row, effect in rows.items():
        expected = golden(name).answer(metric, row, "scipy")
        tolerance = 0.03 * (expected["ci_high"] - expected["ci_low"])
        assert effect.difference == pytest.approx(expected["abs_diff"], rel=1e-6)
        assert effect.ci_low == pytest.approx(expected["ci_low"], abs=tolerance), row
        assert effect.ci_high == pytest.approx(expected["ci_high"], abs=tolerance), row


@pytest.mark.parametrize("metric", METRICS)
def test_resampling_sessions_repeats_the_mistake_of_the_t_test(name, metric):
    arms = golden(name).session_values(metric)
    resampled = session_bootstrap(*arms, replicates=4000, seed=1, stream=metric)
    expected = golden(name).answer(metric, "naive Welch t", "scipy")
    assert resampled.difference == pytest.approx(expected["abs_diff"], rel=1e-12)
    assert resampled.standard_error == pytest.approx(expected["se"], rel=0.03)
    tolerance = 0.03 * (expected["ci_high"] - expected["ci_low"])
    assert resampled.ci_low == pytest.approx(expected["ci_low"], abs=tolerance)
    assert resampled.ci_high == pytest.approx(expected["ci_high"], abs=tolerance)


def test_the_sample_ratio_is_judged_alike(name):
    health = golden(name).summary["health"]
    counts = [health["assigned_control"], health["assigned_treatment"]]
    assert sample_ratio(counts) == pytest.approx(health["srm_chi2_p"], rel=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_what_a_decision_needs_comes_out_alike(name, metric):
    experiment = golden(name)
    expected = experiment.summary["decision_inputs"][metric]
    arms = experiment.arms(metric)
    effect = delta_method(*arms, distribution="normal")
    naive = welch_t(*experiment.session_values(metric))
    inflation = design_effect(effect.standard_error, naive.standard_error)
    detectable = minimum_detectable_effect(effect.standard_error)
    found = {
        "delta_p": effect.p_value,
        "delta_se": effect.standard_error,
        "naive_se": naive.standard_error,
        "design_effect": inflation,
        "effective_sessions": effective_sessions(len(experiment.sessions), inflation),
        "mde80_abs": detectable,
        "mde80_rel": detectable / effect.control,
        "prob_treatment_better_flat_prior": probability_to_beat(
            effect.difference, effect.standard_error, "higher"
        ),
        "expected_loss_if_ship": expected_loss(effect.difference, effect.standard_error, "higher"),
        "noninferiority_p": noninferiority(
            *arms, expected["noninferiority_margin"], "higher", distribution="normal"
        ).p_value,
    }
    for figure, value in found.items():
        assert value == pytest.approx(expected[figure], rel=1e-6), figure


def test_primaries_are_adjusted_alike(name):
    inputs = golden(name).summary["decision_inputs"]
    p_values = [inputs[metric]["delta_p"] for metric in METRICS]
    for adjusted, method in ((holm(p_values), "holm"), (benjamini_hochberg(p_values), "fdr_bh")):
        assert adjusted == pytest.approx([inputs[method][metric] for metric in METRICS], rel=1e-6)


def test_segments_and_their_heterogeneity_come_out_alike(name):
    segments = golden(name).summary.get("segments")
    if not segments:
        pytest.skip("the experiment has no expected segments")
    effects = [
        delta_method(
            *golden(name).arms(segment["metric"], segment["segment"]), distribution="normal"
        )
        for segment in segments
    ]
    for segment, effect in zip(segments, effects, strict=True):
        assert effect.difference == pytest.approx(segment["effect"], rel=1e-6)
        assert effect.standard_error == pytest.approx(segment["se"], rel=1e-6)
        assert effect.p_value == pytest.approx(segment["p"], rel=1e-6)
    adjusted = holm([effect.p_value for effect in effects])
    assert adjusted == pytest.approx([segment["p_holm"] for segment in segments], rel=1e-6)
    for metric in METRICS:
        is_metric = np.array([segment["metric"] == metric for segment in segments])
        chosen = [effect for effect, wanted in zip(effects, is_metric, strict=True) if wanted]
        _, degrees_of_freedom, p_value = cochran_q(
            [effect.difference for effect in chosen], [effect.standard_error for effect in chosen]
        )
        assert degrees_of_freedom == len(chosen) - 1
        expected = golden(name).summary["decision_inputs"][metric]["heterogeneity_p"]
        assert p_value == pytest.approx(expected, rel=1e-6)
