"""The effect on the primaries per segment, and whether segments differ."""

import math
from typing import Any

import duckdb
import pandas as pd

from ev_charging.experiment.arms import Comparison, aggregate_arms, comparisons, read_arms
from ev_charging.experiment.assignment_checks import FEW_USERS
from ev_charging.experiment.effect import OK
from ev_charging.experiment.frames import SEGMENTS
from ev_charging.experiment.multiple import benjamini_hochberg
from ev_charging.experiment.ratio import delta_method
from ev_charging.experiment.segments import cochran_q
from ev_charging.frames import typed_frame

SEGMENT_KEYS = ("experiment_id", "metric", "segment", "variant")


def aggregate_segments(
    session: duckdb.DuckDBPyConnection,
    users: duckdb.DuckDBPyRelation,
    metrics: duckdb.DuckDBPyRelation,
) -> pd.DataFrame:
    """Return the arms frame of the primaries with the keys SEGMENT_KEYS.

    Args:
        session: the connection that the relations are of.
        users, metrics: experiment_users and the seed experiment_metrics.
    """
    primaries = session.sql(
        """
        select users.*
        from users
        inner join metrics
            on users.metric = metrics.metric
        where metrics.role = 'primary'
        """
    )
    return aggregate_arms(primaries, SEGMENT_KEYS)


def experiment_segments(
    arms: pd.DataFrame, experiments: pd.DataFrame, metrics: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per experiment, treatment, primary and segment.

    Args:
        arms: the arms frame of `aggregate_segments`.
        experiments: rows of int_experiments.
        metrics: rows of the seed experiment_metrics.

    Returns:
        A frame with the columns `frames.SEGMENTS`, in the order of its key. The p-values of all
        segments, primaries and treatments of an experiment are adjusted together.
    """
    primaries = sorted(metrics.loc[metrics["role"] == "primary", "metric"])
    by_experiment: dict[str, list[dict]] = {}
    # A metric in a segment is compared as a metric of its own.
    own = {
        (experiment_id, (metric, segment), variant): arm
        for (experiment_id, metric, segment, variant), arm in read_arms(arms, SEGMENT_KEYS).items()
    }
    for comparison in comparisons(own, experiments):
        segments = sorted({segment for (_, segment), _ in comparison.arms})
        compared = [
            [_segment_row(comparison, metric, segment) for segment in segments]
            for metric in primaries
        ]
        rows = by_experiment.setdefault(comparison.experiment.experiment_id, [])
        for of_metric in compared:
            _compare_segments(of_metric)
            rows += of_metric
    for experiment in experiments.itertuples():
        _judge(by_experiment[experiment.experiment_id], experiment)
    return typed_frame(
        SEGMENTS, (row for key in sorted(by_experiment) for row in by_experiment[key])
    )


def _segment_row(comparison: Comparison, metric: str, segment: str) -> dict:
    control, treatment = comparison.pair((metric, segment))
    effect = delta_method(control, treatment, comparison.experiment.alpha)
    return {
        **comparison.key,
        "metric": metric,
        "segment": segment,
        "users_control": control.users,
        "users_treatment": treatment.users,
        "control_value": effect.control,
        "treatment_value": effect.treatment,
        "difference": effect.difference,
        "standard_error": effect.standard_error,
        "ci_low": effect.ci_low,
        "ci_high": effect.ci_high,
        "relative_difference": effect.relative_difference,
        "p_value": effect.p_value,
        "status": effect.status,
    }


def _compare_segments(rows: list[dict]) -> None:
    """Add the share of users and the test of heterogeneity to the segments of one metric."""
    users = [row["users_control"] + row["users_treatment"] for row in rows]
    # The test takes standard errors as known, which those of a handful of users are not.
    large = [row for row in rows if min(row["users_control"], row["users_treatment"]) >= FEW_USERS]
    q, degrees_of_freedom, p_value = cochran_q(
        [row["difference"] for row in large], [row["standard_error"] for row in large]
    )
    for row, own_users in zip(rows, users, strict=True):
        row["share_of_users"] = own_users / sum(users) if sum(users) else math.nan
        row["heterogeneity_q"] = q
        row["heterogeneity_degrees_of_freedom"] = degrees_of_freedom
        row["heterogeneity_p_value"] = p_value


def _judge(rows: list[dict], experiment: Any) -> None:
    """Add the p-values that are adjusted over all rows of an experiment, and the verdicts."""
    adjusted = benjamini_hochberg([row["p_value"] for row in rows])
    for row, p_value in zip(rows, adjusted, strict=True):
        row["p_value_adjusted"] = float(p_value)
        if row["status"] == OK:
            row["is_significant"] = bool(p_value < experiment.alpha)
