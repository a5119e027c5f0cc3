"""The effect on every metric by every method, the right ones beside the sketch's wrong ones."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.arms import Comparison, comparisons, read_arms
from ev_charging.experiment.bootstrap import user_bootstrap
from ev_charging.experiment.cuped import CupedEffect, cuped
from ev_charging.experiment.effect import OK, Effect, excludes_zero
from ev_charging.experiment.frames import RESULTS
from ev_charging.experiment.multiple import holm
from ev_charging.experiment.naive import (
    SessionValues,
    session_bootstrap,
    two_proportion_z,
    welch_t,
)
from ev_charging.experiment.noninferiority import NonInferiority, noninferiority
from ev_charging.experiment.power import design_effect, effective_sessions
from ev_charging.experiment.probability import expected_loss, probability_to_beat
from ev_charging.experiment.ratio import delta_method
from ev_charging.experiment.regression import cluster_robust, hc3
from ev_charging.experiment.sequence import confidence_sequence
from ev_charging.experiment.wording import STATUS_SENTENCES, change, change_interval
from ev_charging.frames import typed_frame

NAIVE = "naive_sessions"
# The family of each method; only those of the naive family are not valid.
FAMILIES = {
    "naive_two_proportion_z": NAIVE,
    "naive_welch": NAIVE,
    "naive_session_bootstrap": NAIVE,
    "delta": "delta",
    "cluster_robust": "regression",
    "hc3": "regression",
    "bootstrap_percentile": "bootstrap",
    "bootstrap_bca": "bootstrap",
    "cuped": "cuped",
    "confidence_sequence": "sequence",
}
NO_SESSIONS = SessionValues(np.empty(0), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class _Estimate:
    """What a method says about a metric."""

    method: str
    effect: Effect
    noninferiority: NonInferiority | None = None
    variance_reduction: float = math.nan


def experiment_results(
    arms: pd.DataFrame, values: pd.DataFrame, experiments: pd.DataFrame, metrics: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per experiment, treatment, metric and method.

    Args:
        arms: the arms frame of `arms.aggregate_arms`.
        values: rows of int_experiment_values with float64 sums.
        experiments: rows of int_experiments.
        metrics: rows of the seed experiment_metrics.

    Returns:
        A frame with the columns `frames.RESULTS`, in the order of its key. What can't be computed
        is missing, and the status says why.
    """
    sessions = _session_values(values)
    metrics = list(metrics.sort_values("metric").itertuples())
    by_experiment: dict[str, list[dict]] = {}
    for comparison in comparisons(read_arms(arms), experiments):
        rows = by_experiment.setdefault(comparison.experiment.experiment_id, [])
        for metric in metrics:
            rows += _metric_rows(comparison, metric, sessions)
    for experiment in experiments.itertuples():
        _judge(by_experiment[experiment.experiment_id], experiment.alpha)
    rows = [row for key in sorted(by_experiment) for row in by_experiment[key]]
    by_name = {metric.metric: metric for metric in metrics}
    for row in rows:
        row["remark"] = _remark(row, by_name[row["metric"]])
    return typed_frame(RESULTS, rows)


def _metric_rows(
    comparison: Comparison, metric: Any, sessions: Mapping[tuple, SessionValues]
) -> Iterator[dict]:
    control, treatment = comparison.pair(metric.metric)
    values = [
        sessions.get((comparison.experiment.experiment_id, metric.metric, variant), NO_SESSIONS)
        for variant in (comparison.control, comparison.treatment)
    ]
    estimates = [
        *(_naive_estimates(comparison, metric, *values) if metric.counts_sessions else ()),
        *_user_estimates(comparison, metric, control, treatment),
    ]
    effects = {estimate.method: estimate.effect for estimate in estimates}
    denominators = [float(arm.denominator.sum()) for arm in (control, treatment)]
    deff = effective = math.nan
    if metric.counts_sessions:
        # Both without a pooled variance, as the user-level one.
        deff = design_effect(effects["delta"].standard_error, effects["naive_welch"].standard_error)
        effective = effective_sessions(sum(denominators), deff)
    for estimate in sorted(estimates, key=lambda estimate: estimate.method):
        effect = estimate.effect
        is_naive = FAMILIES[estimate.method] == NAIVE
        row = {
            **comparison.key,
            "metric": metric.metric,
            "method": estimate.method,
            "role": metric.role,
            "method_family": FAMILIES[estimate.method],
            "unit_of_analysis": "session" if is_naive else "user",
            "users_control": control.users,
            "users_treatment": treatment.users,
            "denominator_control": denominators[0],
            "denominator_treatment": denominators[1],
            "control_value": effect.control,
            "treatment_value": effect.treatment,
            **{name: getattr(effect, name) for name in _SAME_NAME},
            "design_effect": deff,
            "effective_sessions": effective,
            "variance_reduction": estimate.variance_reduction,
            "is_valid": not is_naive,
        }
        if not is_naive and effect.status == OK:
            figures = (effect.difference, effect.standard_error, metric.better)
            row["probability_to_beat"] = probability_to_beat(*figures)
            row["expected_loss"] = expected_loss(*figures)
        tested = estimate.noninferiority
        if tested and not math.isnan(tested.p_value):
            row["noninferiority_p_value"] = tested.p_value
            row["is_noninferior"] = tested.is_noninferior
        yield row


_SAME_NAME = (
    "difference",
    "standard_error",
    "ci_low",
    "ci_high",
    "p_value",
    "relative_difference",
    "relative_ci_low",
    "relative_ci_high",
    "relative_interval",
    "status",
)


def _naive_estimates(
    comparison: Comparison, metric: Any, control: SessionValues, treatment: SessionValues
) -> Iterator[_Estimate]:
    experiment = comparison.experiment
    if metric.unit == "share":
        z_test = two_proportion_z(control, treatment, experiment.alpha)
        yield _Estimate("naive_two_proportion_z", z_test)
    yield _Estimate("naive_welch", welch_t(control, treatment, experiment.alpha))
    if metric.role == "primary":
        resampled = session_bootstrap(
            control, treatment, *_bootstrap(comparison, metric, "sessions"), experiment.alpha
        )
        yield _Estimate("naive_session_bootstrap", resampled)


def _user_estimates(
    comparison: Comparison, metric: Any, control: Arm, treatment: Arm
) -> Iterator[_Estimate]:
    experiment = comparison.experiment
    alpha = experiment.alpha
    is_guardrail = metric.role == "guardrail"

    def guarded(*arms: Arm) -> NonInferiority | None:
        margin = metric.noninferiority_margin_pct / 100
        if not is_guardrail or math.isnan(margin):
            return None
        return noninferiority(*arms, margin, metric.better, alpha)

    delta = delta_method(control, treatment, alpha)
    yield _Estimate("delta", delta, guarded(control, treatment))
    yield _Estimate("hc3", hc3(control, treatment, alpha))
    if metric.counts_sessions:
        sessions = float(control.denominator.sum() + treatment.denominator.sum())
        yield _Estimate("cluster_robust", cluster_robust(control, treatment, sessions, alpha))
    adjusted = cuped(control, treatment, alpha)
    is_adjusted = adjusted.effect.status == OK
    yield _Estimate(
        "cuped",
        adjusted.effect,
        guarded(*_adjusted_arms(control, treatment, delta, adjusted)) if is_adjusted else None,
        adjusted.variance_reduction,
    )
    users = control.users + treatment.users
    sequence = confidence_sequence(delta, users, experiment.planned_users, alpha)
    yield _Estimate("confidence_sequence", sequence)
    if metric.role == "primary":
        percentile, bca, _ = user_bootstrap(
            control, treatment, *_bootstrap(comparison, metric, "users"), alpha
        )
        yield _Estimate("bootstrap_percentile", percentile)
        yield _Estimate("bootstrap_bca", bca)


def _bootstrap(comparison: Comparison, metric: Any, units: str) -> tuple[int, int, str]:
    """Return the number of replicates, the seed and the name of the random numbers."""
    experiment = comparison.experiment
    names = (experiment.experiment_id, comparison.treatment, metric.metric, units)
    return int(experiment.bootstrap_replicates), int(experiment.bootstrap_seed), "/".join(names)


def _adjusted_arms(
    control: Arm, treatment: Arm, plain: Effect, adjusted: CupedEffect
) -> Iterator[Arm]:
    """Yield arms whose ratios and variances are those that CUPED leaves."""
    shifts = (0.0, plain.difference - adjusted.effect.difference)
    for arm, shift in zip((control, treatment), shifts, strict=True):
        explained = adjusted.theta * arm.pre_period().linearised * arm.denominator.mean()
        yield Arm(arm.numerator - explained - shift * arm.denominator, arm.denominator)


def _session_values(values: pd.DataFrame) -> dict[tuple, SessionValues]:
    keys = ["experiment_id", "metric", "variant"]
    ordered = values.sort_values([*keys, "value_bin"])
    return {
        key: SessionValues(
            (rows["value_sum"] / rows["sessions"]).to_numpy(dtype=float),
            rows["sessions"].to_numpy(dtype=float),
            rows["value_square_sum"].to_numpy(dtype=float),
        )
        for key, rows in ordered.groupby(keys)
    }


def _judge(rows: list[dict], alpha: float) -> None:
    """Add Holm's p-values of the primaries, a family per method, and the verdicts."""
    for method, family in FAMILIES.items():
        declared = [row for row in rows if row["method"] == method and row["role"] == "primary"]
        if family == NAIVE or not declared:
            continue
        adjusted = holm([row["p_value"] for row in declared])
        for row, p_value in zip(declared, adjusted, strict=True):
            row["p_value_holm"] = float(p_value)
    for row in rows:
        if row["status"] == OK:
            p_value = row.get("p_value_holm", row["p_value"])
            row["is_significant"] = (
                excludes_zero(row["ci_low"], row["ci_high"])
                if math.isnan(p_value)
                else p_value < alpha
            )


def _remark(row: Mapping, metric: Any) -> str:
    if row["status"] != OK:
        return STATUS_SENTENCES[row["status"]]
    if not row["is_valid"]:
        return _warning(row)
    ends = (row["ci_low"], row["ci_high"], metric.unit)
    if not excludes_zero(row["ci_low"], row["ci_high"]):
        interval = change_interval(*ends, word="and")
        return f"{metric.label}: no difference shown, it lies between {interval}."
    if not row["is_significant"]:
        return (
            f"{metric.label}: {change(row['difference'], metric.unit)} ({change_interval(*ends)}),"
            " not shown once all primaries are counted (Holm)."
        )
    is_good = (row["difference"] > 0) == (metric.better == "higher")
    return (
        f"{metric.label}: {change(row['difference'], metric.unit)} ({change_interval(*ends)}),"
        f" {'better' if is_good else 'worse'} than control."
    )


def _warning(row: Mapping) -> str:
    if not row["design_effect"] > 1:
        return "Don't use: users were randomised, not sessions, and users come more than once."
    sessions = row["denominator_control"] + row["denominator_treatment"]
    return (
        f"Don't use: sessions of one user resemble each other, so that {sessions:,.0f} sessions"
        f" carry as much information as {row['effective_sessions']:,.0f} (design effect"
        f" {row['design_effect']:.1f}). This interval is too narrow."
    )
